"""What a schedule may do. Pure: the ticker, the store and the bus are elsewhere.

`states.py` says what a schedule can be and how events change it; `ticking.py` which instants fire, `passing.py` what
becomes of those that pass while it is off, `following.py` what its library does to it, `calendars.py` what a calendar
does, `editing.py` what people do.
"""

from typing import assert_never

from linstock.messages.schedule import (
    FollowCalendar,
    FollowLibrary,
    ForgetLibrary,
    ScheduleCommand,
    ScheduleEvent,
    Tick,
)
from services.scheduler.schedule.calendars import follow_calendar
from services.scheduler.schedule.following import follow, forget
from services.scheduler.schedule.states import (
    Deleted,
    Disabled,
    Enabled,
    Existing,
    Live,
    Paused,
    Schedule,
    Undefined,
    evolve,
    initial,
)
from services.scheduler.schedule.ticking import LATE_AFTER, MISFIRED_AFTER, failed_too_often, resume, tick

__all__ = [
    "LATE_AFTER",
    "MISFIRED_AFTER",
    "Deleted",
    "Disabled",
    "Enabled",
    "Existing",
    "Live",
    "Paused",
    "Schedule",
    "Undefined",
    "decide",
    "evolve",
    "failed_too_often",
    "initial",
]


def decide(command: ScheduleCommand, schedule: Schedule) -> list[ScheduleEvent]:
    match command:
        case FollowLibrary():
            return follow(command, schedule)
        case ForgetLibrary():
            return forget(command, schedule)
        case FollowCalendar():
            return follow_calendar(command, schedule)
        case Tick():
            return _tick(command, schedule)
        case _:
            assert_never(command)


def _tick(command: Tick, schedule: Schedule) -> list[ScheduleEvent]:
    match schedule:
        case Enabled():
            return tick(command, schedule)
        case Paused():
            return resume(command, schedule)
        case _:
            return []
