"""What became of the instants of a scheduled job, and under which rules, under /api/v1"""

from typing import Annotated, TypeAlias

from litestar import get
from litestar.params import FromQuery, QueryParameter

from services.api import answers
from services.api.context import Fresh, Id
from services.api.dto.ticks import Order, ScheduledJobTickPage, ScheduledJobVersionPage
from services.api.filters import TIME, moment
from services.api.paging import PAGED, Wanted
from services.api.problems import not_found
from services.api.queries import schedule_versions, schedules, ticks
from services.api.routes.schedules import at_both

From: TypeAlias = Annotated[
    str | None, QueryParameter(name="from", description="At this time or later", schema_extra=dict(TIME))
]
To: TypeAlias = Annotated[
    str | None, QueryParameter(name="to", description="Before this time", schema_extra=dict(TIME))
]
At: TypeAlias = Annotated[
    str | None,
    QueryParameter(name="at", description="What became of this one instant", schema_extra=dict(TIME)),
]


@get(at_both("/{schedule_id:uuid}/ticks"), dependencies=PAGED, responses=answers.reading(404, 422))
async def list_scheduled_job_ticks(
    schedule_id: Id,
    window: Wanted,
    fresh: Fresh,
    from_: From = None,
    to: To = None,
    at: At = None,
    order: FromQuery[Order] = "desc",
) -> ScheduledJobTickPage:
    """Did it fire, and if not, why: each instant at which it was due, the newest first; also of a deleted schedule.
    Older ones than the retention policy keeps are not listed."""
    asked = ticks.Asked(moment(from_, "from"), moment(to, "to"), moment(at, "at"), order)
    found = await ticks.page(fresh.pool, fresh.workspace, schedule_id, asked, window, fresh.now())
    if found is None:
        raise not_found("scheduled job", schedule_id)
    return found


@get(at_both("/{schedule_id:uuid}/versions"), dependencies=PAGED, responses=answers.reading(404, 422))
async def list_scheduled_job_versions(schedule_id: Id, window: Wanted, fresh: Fresh) -> ScheduledJobVersionPage:
    """Which expression was in force when, and who said so, the newest first; also of a deleted schedule."""
    if not await schedules.exists(fresh.pool, fresh.workspace, schedule_id):
        raise not_found("scheduled job", schedule_id)
    return await schedule_versions.page(fresh.pool, fresh.workspace, schedule_id, window)


HANDLERS = (list_scheduled_job_ticks, list_scheduled_job_versions)
