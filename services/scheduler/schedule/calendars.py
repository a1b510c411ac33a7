"""What a calendar does to the schedules that keep a copy of it."""

from msgspec.structs import replace

from linstock.messages.schedule import FollowCalendar, ScheduleChanged, ScheduleEvent
from services.scheduler.schedule.passing import passed
from services.scheduler.schedule.states import Existing, Schedule


def follow_calendar(command: FollowCalendar, schedule: Schedule) -> list[ScheduleEvent]:
    """A new version with the new days; what is past by then was decided, or is, under the old ones."""
    if not isinstance(schedule, Existing):
        return []
    new = command.calendar
    copies = tuple(
        new if old.name == new.name and old.version < new.version else old for old in schedule.rules.calendars
    )
    if copies == schedule.rules.calendars:
        return []
    return [
        *passed(schedule, command.at, command.tzdata),
        ScheduleChanged(
            schedule_id=schedule.schedule_id,
            version=schedule.version + 1,
            name=schedule.name,
            description=schedule.description,
            timing=schedule.timing,
            target=schedule.target,
            library_version=schedule.library_version,
            cursor=max(schedule.cursor, command.at),
            rules=replace(schedule.rules, calendars=copies),
        ),
    ]
