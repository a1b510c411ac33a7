"""The Litestar application."""

from litestar import Litestar
from litestar.di import Provide

from services.api import problems
from services.api.bodies import LIMIT_BYTES
from services.api.context import Context
from services.api.guard import Guard
from services.api.routes import libraries, operations, root, scans, schedules

HANDLERS = (*root.HANDLERS, *libraries.HANDLERS, *scans.HANDLERS, *schedules.HANDLERS, *operations.HANDLERS)


def make(context: Context, *, host: str) -> Litestar:
    """`host` is the address that is listened on; a loopback one is served under loopback names only."""
    guard = Guard(context, host)

    async def provide() -> Context:
        return context

    return Litestar(
        HANDLERS,
        dependencies={"context": Provide(provide, use_cache=True)},
        exception_handlers={Exception: problems.answer},
        before_request=guard.before,
        before_send=[guard.before_send],
        request_max_body_size=LIMIT_BYTES,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
