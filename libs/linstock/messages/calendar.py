"""Calendar: named days on which schedules do not fire, such as public holidays. Schedules keep copies of it."""

from datetime import date, datetime
from uuid import UUID

from linstock.messages.message import Message

NAME = r"[a-z0-9]+(?:[-_.][a-z0-9]+)*"
NAME_LIMIT = 60  # characters
MOST_DAYS = 1_000


# Commands


class PutCalendar(Message, frozen=True, tag="PutCalendar"):
    """From now on these are its days. `if_versions`: refused (412) unless its version is one of them; empty: any."""

    name: str
    days: tuple[date, ...]
    description: str = ""
    if_versions: tuple[int, ...] = ()


class DeleteCalendar(Message, frozen=True, tag="DeleteCalendar"):
    """Refused (409) while a schedule uses it."""

    name: str
    if_versions: tuple[int, ...] = ()


# Events


class CalendarDefined(Message, frozen=True, tag="linstock.calendar.defined.v1"):
    """`days` are sorted, each there once; wall days of whichever zone a schedule is in."""

    calendar_id: UUID
    name: str
    description: str
    days: tuple[date, ...]
    at: datetime


class CalendarChanged(Message, frozen=True, tag="linstock.calendar.changed.v1"):
    """All of it, as it is now."""

    calendar_id: UUID
    name: str
    description: str
    days: tuple[date, ...]
    at: datetime


class CalendarDeleted(Message, frozen=True, tag="linstock.calendar.deleted.v1"):
    """One of the same name may be defined again; its versions count on."""

    calendar_id: UUID
    name: str
    at: datetime


CalendarEvent = CalendarDefined | CalendarChanged | CalendarDeleted
