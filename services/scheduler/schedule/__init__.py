"""What a schedule may do. Pure: the ticker, the store and the bus are elsewhere.

`states.py` says what a schedule can be and how events change it; `ticking.py` which instants fire, `following.py` what
its library does to it, `editing.py` what people do to it.
"""

from typing import assert_never

from linstock.messages.schedule import FollowLibrary, ForgetLibrary, ScheduleCommand, ScheduleEvent, Tick
from services.scheduler.schedule.following import follow, forget
from services.scheduler.schedule.states import (
    Deleted,
    Disabled,
    Enabled,
    Live,
    Schedule,
    Undefined,
    evolve,
    initial,
)
from services.scheduler.schedule.ticking import LATE_AFTER, MISFIRED_AFTER, tick

__all__ = [
    "LATE_AFTER",
    "MISFIRED_AFTER",
    "Deleted",
    "Disabled",
    "Enabled",
    "Live",
    "Schedule",
    "Undefined",
    "decide",
    "evolve",
    "initial",
]


def decide(command: ScheduleCommand, schedule: Schedule) -> list[ScheduleEvent]:
    match command:
        case FollowLibrary():
            return follow(command, schedule)
        case ForgetLibrary():
            return forget(command, schedule)
        case Tick():
            return tick(command, schedule) if isinstance(schedule, Enabled) else []
        case _:
            assert_never(command)
