"""Which instants of a schedule are due. Pure."""

from datetime import datetime
from uuid import UUID

from linstock import cron
from linstock.messages.schedule import Tick
from services.scheduler.schedule import Enabled, Schedule


def upcoming(schedule: Schedule) -> datetime | None:
    """The instant that is decided next; None while it does not tick. Raises InvalidCron."""
    if not isinstance(schedule, Enabled):
        return None
    return cron.next(schedule.timing.expression, schedule.timing.zone, schedule.cursor)


def proposal(schedule: Enabled, now: datetime, *, busy: UUID | None, tzdata: str, limit: int) -> Tick | None:
    """All that is due at `now`, at most `limit` instants of it; None when nothing is. Costs about 10 µs an instant."""
    timing = schedule.timing
    due = cron.due_instants(timing.expression, timing.zone, schedule.cursor, now, limit)
    if not due:
        return None
    listed = due if len(due) <= 3 else [due[0], *due[-2:]]
    return Tick(
        instants=tuple(listed),
        now=now,
        busy=busy,
        tzdata=tzdata,
        missed=len(due) - len(listed),
        more=len(due) == limit,
    )
