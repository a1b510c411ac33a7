"""A schedule, for whoever's workspace it is in."""

from uuid import UUID

from linstock.eventlog.decider import Loaded
from linstock.eventlog.log import EventLog
from linstock.messages.schedule import ScheduleEvent
from services.scheduler.index import Index
from services.scheduler.known import SCHEDULE
from services.scheduler.schedule import Schedule


async def load(
    log: EventLog, index: Index, schedule_id: UUID, workspace: str
) -> Loaded[Schedule, ScheduleEvent] | None:
    """None for another workspace's."""
    known = index.schedules.get(schedule_id)
    if known is not None:
        of = known.workspace
    else:  # a moment old at most, so this reads an event or two
        recorded = await log.load(schedule_id)
        of = recorded[0].workspace if recorded else workspace
    return await SCHEDULE.load(log, schedule_id) if of == workspace else None
