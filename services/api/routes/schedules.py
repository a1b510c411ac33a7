"""/api/v1/scheduledjobs"""

import asyncio

from litestar import get

from services.api.context import Asked, Id, Shared
from services.api.dto import Page, ScheduledJobDto, ScheduledJobRunDto
from services.api.paging import window_of
from services.api.problems import not_found
from services.api.queries import libraries, schedules

SHOWN_WITHIN_S = 2.0
LOOK_EVERY_S = 0.02


@get("/api/v1/scheduledjobs", opt={"paged": True})
async def list_scheduled_jobs(request: Asked, context: Shared) -> Page[ScheduledJobDto]:
    """Schedules by name, without those of deleted libraries."""
    return await schedules.page(context.pool, context.workspace, window_of(request), context.now())


@get("/api/v1/scheduledjobs/{schedule_id:uuid}")
async def get_scheduled_job(schedule_id: Id, context: Shared) -> ScheduledJobDto:
    """One schedule."""
    schedule = await schedules.one(context.pool, context.workspace, schedule_id, context.now())
    if schedule is None:
        raise not_found("scheduled job", schedule_id)
    return schedule


@get("/api/v1/scheduledjobs/library/{library_id:uuid}")
async def get_scheduled_job_of_library(library_id: Id, context: Shared) -> ScheduledJobDto:
    """The schedule of a library. Right after the library was created this waits for it, at most 2 s."""
    loop = asyncio.get_running_loop()
    until = loop.time() + SHOWN_WITHIN_S
    while True:
        schedule = await schedules.of_library(context.pool, context.workspace, library_id, context.now())
        if schedule is not None:
            return schedule
        known = await libraries.one(context.pool, context.workspace, library_id)
        if known is None or loop.time() >= until:
            raise not_found("scheduled job", f"of library {library_id}")
        await asyncio.sleep(LOOK_EVERY_S)


@get("/api/v1/scheduledjobs/{schedule_id:uuid}/runs", opt={"paged": True})
async def list_runs(schedule_id: Id, request: Asked, context: Shared) -> Page[ScheduledJobRunDto]:
    """A schedule's runs, the newest first; also of a deleted schedule."""
    page = await schedules.runs(context.pool, context.workspace, schedule_id, window_of(request))
    if page is None:
        raise not_found("scheduled job", schedule_id)
    return page


HANDLERS = (list_scheduled_jobs, get_scheduled_job, get_scheduled_job_of_library, list_runs)
