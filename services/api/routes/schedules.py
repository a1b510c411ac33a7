"""scheduledjobs, under /api/v1"""

import asyncio
from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from services.api import answers
from services.api.context import Fresh, Id
from services.api.dto.schedules import ScheduledJobDto, ScheduledJobPage
from services.api.filters import TRUTH, LibraryId
from services.api.paging import PAGED, Wanted
from services.api.problems import not_found
from services.api.queries import libraries, schedules

SHOWN_WITHIN_S = 2.0
LOOK_EVERY_S = 0.02


def at_both(path: str) -> list[str]:
    """One resource under the name that older systems call it by, and a shorter one."""
    return [f"/scheduledjobs{path}", f"/schedules{path}"]


@get(at_both(""), dependencies=PAGED, responses=answers.reading(422))
async def list_scheduled_jobs(
    window: Wanted,
    fresh: Fresh,
    library_id: LibraryId = None,
    is_enabled: Annotated[bool | None, QueryParameter(name="isEnabled", schema_extra=dict(TRUTH))] = None,
) -> ScheduledJobPage:
    """Schedules by name, without those of deleted libraries."""
    wanted = schedules.Wanted(library_id, is_enabled)
    return await schedules.page(fresh.pool, fresh.workspace, wanted, window, fresh.now())


@get(at_both("/active"), dependencies=PAGED, responses=answers.reading(422))
async def list_active_scheduled_jobs(window: Wanted, fresh: Fresh) -> ScheduledJobPage:
    """Schedules that are enabled, by name."""
    return await schedules.page(fresh.pool, fresh.workspace, schedules.Wanted(enabled=True), window, fresh.now())


@get(at_both("/{schedule_id:uuid}"), responses=answers.reading(404))
async def get_scheduled_job(schedule_id: Id, fresh: Fresh) -> ScheduledJobDto:
    """One schedule."""
    schedule = await schedules.one(fresh.pool, fresh.workspace, schedule_id, fresh.now())
    if schedule is None:
        raise not_found("scheduled job", schedule_id)
    return schedule


@get(at_both("/library/{library_id:uuid}"), responses=answers.reading(404))
async def get_scheduled_job_of_library(library_id: Id, fresh: Fresh) -> ScheduledJobDto:
    """A library's own schedule; /scheduledjobs?libraryId= lists all. Right after the library was created this waits for
    it, at most 2 s."""
    loop = asyncio.get_running_loop()
    until = loop.time() + SHOWN_WITHIN_S
    while True:
        schedule = await schedules.of_library(fresh.pool, fresh.workspace, library_id, fresh.now())
        if schedule is not None:
            return schedule
        known = await libraries.one(fresh.pool, fresh.workspace, library_id)
        if known is None or loop.time() >= until:
            raise not_found("scheduled job", f"of library {library_id}")
        await asyncio.sleep(LOOK_EVERY_S)


HANDLERS = (list_scheduled_jobs, list_active_scheduled_jobs, get_scheduled_job, get_scheduled_job_of_library)
