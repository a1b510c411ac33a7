"""runs, under /api/v1"""

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter
from litestar.response import Stream

from linstock.messages.job import APART
from services.api import answers, run_stream, streams
from services.api.callers import Callers
from services.api.context import Asked, Fresh, Id
from services.api.dto.events import SentEvent
from services.api.dto.schedules import ScheduledJobRunDto, ScheduledJobRunPage, Status
from services.api.filters import ID, LibraryId, words
from services.api.paging import PAGED, Window
from services.api.paging import Wanted as WantedPage
from services.api.problems import not_found
from services.api.queries import blocks, runs, schedules
from services.api.queries.blocks import Wanted
from services.api.routes.schedules import at_both

JobType = Literal["LibraryScan", "Enrich", "CleanThumbnails"]
TriggeredBy = Literal["Scheduler", "Manual", "API", "Backfill", "Hint"]
Limit = Annotated[int, QueryParameter(ge=1, le=200, description="How many")]
LIVE = {
    200: ResponseSpec(SentEvent, media_type=streams.MEDIA_TYPE, generate_examples=False, description=run_stream.ABOUT)
}


async def wanted(
    status: Annotated[Status | None, QueryParameter(schema_extra=words(Status))] = None,
    triggered_by: Annotated[
        TriggeredBy | None, QueryParameter(name="triggeredBy", schema_extra=words(TriggeredBy))
    ] = None,
) -> Wanted:
    return Wanted(status, triggered_by)


WantedRuns = NamedDependency[Wanted]
FILTERED = {**PAGED, "wanted": Provide(wanted)}


@get("/runs", dependencies=FILTERED, responses=answers.reading(422))
async def list_runs(
    window: WantedPage,
    wanted: WantedRuns,
    fresh: Fresh,
    library_id: LibraryId = None,
    job_type: Annotated[JobType | None, QueryParameter(name="jobType", schema_extra=words(JobType))] = None,
    scheduled_job_id: Annotated[UUID | None, QueryParameter(name="scheduledJobId", schema_extra=dict(ID))] = None,
) -> ScheduledJobRunPage:
    """Runs, the newest first; also of what is deleted. Older ones than the retention policy keeps are not listed, and
    what comes by itself (`jobType=Enrich`, `jobType=CleanThumbnails`) only when it is asked for."""
    return await runs.filtered(
        fresh.pool,
        fresh.workspace,
        wanted,
        window,
        library_id=library_id,
        schedule_id=scheduled_job_id,
        apart=job_type if job_type in APART else None,
    )


@get("/runs/{run_id:uuid}", responses=answers.reading(404))
async def get_run(run_id: Id, fresh: Fresh) -> ScheduledJobRunDto:
    """One run: how it stands, how far it is, and why it is not further."""
    run = await run_stream.shown(fresh, run_id)
    if run is None:
        raise not_found("run", run_id)
    return run


@get("/runs/{run_id:uuid}/stream", media_type=streams.MEDIA_TYPE, responses={**LIVE, **answers.reading(404)})
async def stream_run(run_id: Id, fresh: Fresh, callers: NamedDependency[Callers], request: Asked) -> Stream:
    """One run as it goes (SSE), until it has ended: how far it is is told up to four times a second."""
    if await runs.one(fresh.pool, fresh.workspace, run_id) is None:
        raise not_found("run", run_id)
    still = partial(callers.still, request.user, request.headers.getall("authorization", []))
    return fresh.streams.serve(run_stream.told(fresh, run_id, still))


@get(at_both("/{schedule_id:uuid}/runs"), dependencies=FILTERED, responses=answers.reading(404, 422))
async def list_scheduled_job_runs(
    schedule_id: Id, window: WantedPage, wanted: WantedRuns, fresh: Fresh
) -> ScheduledJobRunPage:
    """A schedule's runs, the newest first; also of a deleted schedule."""
    if not await schedules.exists(fresh.pool, fresh.workspace, schedule_id):
        raise not_found("scheduled job", schedule_id)
    return await runs.page(fresh.pool, blocks.of_schedule(fresh.workspace, schedule_id), wanted, window)


@get(at_both("/runs/recent"), responses=answers.reading(422))
async def list_recent_scheduled_job_runs(fresh: Fresh, limit: Limit = 50) -> ScheduledJobRunPage:
    """The newest runs of all schedules: the first page of /runs."""
    return await runs.page(fresh.pool, blocks.of_workspace(fresh.workspace), Wanted(), Window(1, limit))


HANDLERS: tuple[Any, ...] = (list_runs, get_run, stream_run, list_scheduled_job_runs, list_recent_scheduled_job_runs)
