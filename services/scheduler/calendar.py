"""What a calendar may do. Pure. Its days reach schedules by `services/scheduler/calendar_follower.py`."""

from datetime import date, datetime
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from linstock.messages.calendar import CalendarChanged, CalendarDefined, CalendarDeleted, CalendarEvent
from linstock.messages.message import Message
from linstock.messages.rules import CalendarDays


class Undefined(Message, frozen=True, tag="undefined"):
    """Nobody defined it yet."""


class Defined(Message, frozen=True, tag="defined"):
    """`version` counts all its events, also those before it was deleted and defined again; `days_version` is the one
    that brought these days."""

    calendar_id: UUID
    name: str
    description: str
    days: tuple[date, ...]
    version: int
    days_version: int

    def copy(self) -> CalendarDays:
        """The same while only the description changes."""
        return CalendarDays(name=self.name, version=self.days_version, days=self.days)


class Deleted(Message, frozen=True, tag="deleted"):
    version: int


Calendar = Undefined | Defined | Deleted


class Put(Struct, frozen=True):
    """Of a calendar by this name these are the days: sorted, each there once."""

    calendar_id: UUID
    name: str
    description: str
    days: tuple[date, ...]
    at: datetime


class Delete(Struct, frozen=True):
    at: datetime


CalendarCommand = Put | Delete


def initial() -> Calendar:
    return Undefined()


def evolve(calendar: Calendar, event: CalendarEvent) -> Calendar:
    version = version_of(calendar) + 1
    match event:
        case CalendarDefined() | CalendarChanged():
            known = calendar if isinstance(calendar, Defined) and calendar.days == event.days else None
            return Defined(
                calendar_id=event.calendar_id,
                name=event.name,
                description=event.description,
                days=event.days,
                version=version,
                days_version=known.days_version if known else version,
            )
        case CalendarDeleted():
            return Deleted(version=version)
        case _:
            assert_never(event)


def decide(command: CalendarCommand, calendar: Calendar) -> list[CalendarEvent]:
    """Nothing for what is so already."""
    match command:
        case Put():
            return _put(command, calendar)
        case Delete(at=at):
            if not isinstance(calendar, Defined):
                return []
            return [CalendarDeleted(calendar_id=calendar.calendar_id, name=calendar.name, at=at)]
        case _:
            assert_never(command)


def version_of(calendar: Calendar) -> int:
    """0 before it was ever defined."""
    return 0 if isinstance(calendar, Undefined) else calendar.version


def _put(command: Put, calendar: Calendar) -> list[CalendarEvent]:
    event: type[CalendarDefined | CalendarChanged] = CalendarDefined
    if isinstance(calendar, Defined):
        if (calendar.description, calendar.days) == (command.description, command.days):
            return []
        event = CalendarChanged
    return [
        event(
            calendar_id=command.calendar_id,
            name=command.name,
            description=command.description,
            days=command.days,
            at=command.at,
        )
    ]
