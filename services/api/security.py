"""What the OpenAPI document says of access: the bearer scheme, and the role that each operation needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from litestar import Litestar
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import Components, Operation, SecurityScheme

from services.api import policy
from services.api.policy import PUBLIC, Needed

_SCHEME = "token"

COMPONENTS = Components(
    security_schemes={
        _SCHEME: SecurityScheme(
            type="http",
            scheme="bearer",
            bearer_format="linstock_<base64url>",
            description="`linstock token create` prints one. On loopback none is needed, unless the server was"
            " started with `--require-token`.",
        )
    }
)


@dataclass
class Ruled(Operation):
    """An operation that says which role it needs."""

    x_linstock_role: str | None = field(default=None, metadata={"alias": "x-linstock-role"})


def describe(app: Litestar, needed: Mapping[BaseRouteHandler, Needed]) -> None:
    """Add to the document of `app` what each operation needs."""
    paths = app.openapi_schema.paths or {}
    for path, handler in policy.handlers(app):
        item = paths.get(path)
        for method in handler.http_methods if item and handler.resolve_include_in_schema() else ():
            operation = getattr(item, method.lower())
            setattr(item, method.lower(), _ruled(operation, needed[handler]))


def _ruled(operation: Operation, needed: Needed) -> Ruled:
    known = {each.name: getattr(operation, each.name) for each in fields(Operation)}
    sentence = "Anybody may ask." if needed == PUBLIC else f"Needs the role {needed}."
    known["description"] = " ".join(filter(None, (operation.description, sentence)))
    # {}: on loopback also without.
    known["security"] = [] if needed == PUBLIC else [{_SCHEME: []}, {}]
    return Ruled(**known, x_linstock_role=needed)
