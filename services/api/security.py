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


def describe(app: Litestar, prefix: str, needed: Mapping[BaseRouteHandler, Needed]) -> None:
    """Add to the document of `app` what each operation needs, and which kind of thing (below `prefix`) it is about."""
    paths = app.openapi_schema.paths or {}
    for path, handler in policy.handlers(app):
        item = paths.get(path)
        for method in handler.http_methods if item and handler.resolve_include_in_schema() else ():
            operation = getattr(item, method.lower())
            setattr(item, method.lower(), _ruled(operation, _kind(path.removeprefix(prefix)), needed[handler]))


def _kind(path: str) -> str:
    return path.strip("/").partition("/")[0] or "about"


def _ruled(operation: Operation, kind: str, needed: Needed) -> Ruled:
    known = {each.name: getattr(operation, each.name) for each in fields(Operation)}
    known["tags"] = [kind]  # the docs page and generated clients group by it
    known["summary"] = (operation.description or "").partition(". ")[0].rstrip(".")
    sentence = "Anybody may ask." if needed == PUBLIC else f"Needs the role {needed}."
    known["description"] = " ".join(filter(None, (operation.description, sentence)))
    # {}: on loopback also without.
    known["security"] = [] if needed == PUBLIC else [{_SCHEME: []}, {}]
    return Ruled(**known, x_linstock_role=needed)
