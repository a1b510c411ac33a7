"""What became of the instants of a scheduled job, under /api/v1"""

from typing import Annotated, TypeAlias, get_args

from litestar import get
from litestar.params import FromQuery, QueryParameter

from services.api import answers
from services.api.context import Fresh, Id
from services.api.dto.ticks import Order, ScheduledJobTickPage, TickVerdict
from services.api.filters import TIME, moment, several, some_of
from services.api.paging import PAGED, Wanted
from services.api.problems import not_found
from services.api.queries import ticks
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
OfVerdict: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        name="verdict",
        description=f"Any of these, with commas between: {', '.join(get_args(TickVerdict))}",
        schema_extra=some_of(get_args(TickVerdict)),
    ),
]
OfReason: TypeAlias = Annotated[
    str | None,
    QueryParameter(name="reason", description="Skipped for any of these, with commas between", schema_extra=some_of()),
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
    verdict: OfVerdict = None,
    reason: OfReason = None,
) -> ScheduledJobTickPage:
    """Did it fire, and if not, why: each instant at which it was due, the newest first; also of a deleted schedule.
    Older ones than the retention policy keeps are not listed. With `verdict` or `reason` a page costs more the longer
    the span is."""
    asked = ticks.Asked(
        moment(from_, "from"),
        moment(to, "to"),
        moment(at, "at"),
        order,
        several(verdict, "verdict", get_args(TickVerdict)),
        several(reason, "reason"),
    )
    found = await ticks.page(fresh.pool, fresh.workspace, schedule_id, asked, window, fresh.now())
    if found is None:
        raise not_found("scheduled job", schedule_id)
    return found


HANDLERS = (list_scheduled_job_ticks,)
