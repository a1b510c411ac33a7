"""The Litestar application."""

from litestar import Litestar, Response, Router
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from services.api import answers, problems
from services.api.bodies import LIMIT_BYTES, StrictRequest
from services.api.context import Context, fresh
from services.api.guard import Guard
from services.api.routes import events, libraries, operations, root, scans, schedules

HANDLERS = (*libraries.HANDLERS, *scans.HANDLERS, *schedules.HANDLERS, *operations.HANDLERS, *events.HANDLERS)

ABOUT = (
    "Errors are problem+json (RFC 9457) with a stable `code`. A command that its owner has not answered within a second"
    " is accepted: 202, and `Location` says where its outcome will be."
    " Times are RFC 3339 in UTC, durations in milliseconds, sizes in bytes."
)


def make(context: Context, *, host: str) -> Litestar:
    """`host` is the address that is listened on; a loopback one is served under loopback names only."""
    guard = Guard(host)

    async def provide() -> Context:
        return context

    return Litestar(
        [*root.HANDLERS, Router("/api/v1", route_handlers=HANDLERS)],
        dependencies={"context": Provide(provide, use_cache=True), "fresh": Provide(fresh)},
        exception_handlers={Exception: problems.answer},
        before_request=guard.before,
        before_send=[guard.before_send],
        request_class=StrictRequest,
        request_max_body_size=LIMIT_BYTES,
        openapi_config=_openapi(),
        logging_config=None,
        debug=False,
    )


def _openapi() -> OpenAPIConfig:
    # Litestar serves the document with its pages, and answers what is not there with a page of its own.
    pages = Router("/docs", route_handlers=[], include_in_schema=False, after_request=_missing)
    return OpenAPIConfig(
        title="Linstock",
        version="1",
        description=ABOUT,
        create_examples=False,
        use_handler_docstrings=True,
        operation_id_creator=answers.operation_id,
        openapi_router=pages,
        render_plugins=[JsonRenderPlugin()],
    )


async def _missing(response: Response[bytes]) -> Response[bytes]:
    if response.status_code == 404:
        raise NotFoundException
    return response
