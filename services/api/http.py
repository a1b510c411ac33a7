"""The Litestar application."""

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig

from services.api import answers, conditional, docs, policy, problems, security
from services.api.bodies import LIMIT_BYTES, StrictRequest
from services.api.callers import Callers
from services.api.context import Asked, Context, fresh
from services.api.dto.schedule_rules import Excluded
from services.api.guard import Guard
from services.api.routes import (
    app_jobs,
    backfills,
    calendars,
    collections,
    contents,
    covers,
    events,
    exclusions,
    files,
    libraries,
    library_edits,
    maintenance,
    operations,
    previews,
    purges,
    quarantine,
    removals,
    root,
    runs,
    scan_changes,
    scans,
    schedule_edits,
    schedule_versions,
    schedules,
    schedules_told,
    statistics,
    ticks,
    triggers,
    undo,
    whoami,
)

HANDLERS = (
    *libraries.HANDLERS,
    *library_edits.HANDLERS,
    *collections.HANDLERS,
    *contents.HANDLERS,
    *exclusions.HANDLERS,
    *files.HANDLERS,
    *covers.HANDLERS,
    *quarantine.HANDLERS,
    *scans.HANDLERS,
    *scan_changes.HANDLERS,
    *runs.HANDLERS,
    *app_jobs.HANDLERS,
    *statistics.HANDLERS,
    *schedules.HANDLERS,
    *previews.HANDLERS,
    *schedule_edits.HANDLERS,
    *schedules_told.HANDLERS,
    *calendars.HANDLERS,
    *triggers.HANDLERS,
    *undo.HANDLERS,
    *backfills.HANDLERS,
    *schedule_versions.HANDLERS,
    *removals.HANDLERS,
    *purges.HANDLERS,
    *ticks.HANDLERS,
    *maintenance.HANDLERS,
    *operations.HANDLERS,
    *whoami.HANDLERS,
    *events.HANDLERS,
)

PREFIX = "/api/v1"
ABOUT = (
    "Errors are problem+json (RFC 9457) with a stable `code`. A command that its owner has not answered within a second"
    " is accepted: 202, and `Location` says where its outcome will be."
    " What is read carries an `ETag`: If-None-Match saves sending it again (304), If-Match keeps two edits apart (412)."
    " Times are RFC 3339 in UTC, durations in milliseconds, sizes in bytes."
)


def make(context: Context, *, host: str, callers: Callers) -> Litestar:
    """`host` is the address that is listened on; a loopback one is served under loopback names only.

    Raises BadPolicy when a route has no role."""
    guard = Guard(host, callers)

    async def provide(request: Asked) -> Context:
        return context.asked_by(request.user) if request.user else context

    async def provide_callers() -> Callers:
        return callers

    app = Litestar(
        [*root.HANDLERS, Router(PREFIX, route_handlers=HANDLERS, response_headers=[answers.ETAG])],
        dependencies={"context": Provide(provide), "fresh": Provide(fresh), "callers": Provide(provide_callers)},
        exception_handlers={Exception: problems.answer},
        guards=[guard.admit],
        before_request=guard.before,
        before_send=[guard.before_send, conditional.not_modified],
        after_request=conditional.add_tag,
        request_class=StrictRequest,
        request_max_body_size=LIMIT_BYTES,
        openapi_config=_openapi(),
        logging_config=None,
        debug=False,
    )
    needed = policy.of(app)
    guard.learn(app, PREFIX, needed)
    security.describe(app, PREFIX, needed)
    _close_bodies(app)
    return app


def _close_bodies(app: Litestar) -> None:
    """What lies within a body refuses unknown fields as the body itself does, and the document says so."""
    schemas = app.openapi_schema.components.schemas or {}
    for name, schema in schemas.items():
        if name.endswith("Body") or name == Excluded.__name__:
            schema.additional_properties = False


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Linstock",
        version="1",
        description=ABOUT,
        create_examples=False,
        use_handler_docstrings=True,
        operation_id_creator=answers.operation_id,
        components=security.COMPONENTS,
        openapi_router=docs.router(),
        render_plugins=[docs.Page()],
    )
