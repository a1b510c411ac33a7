"""Calendars over HTTP: named days on which schedules do not fire."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from litestar.params import BodyKwarg
from msgspec import Meta

from linstock.messages.calendar import MOST_DAYS
from services.api.dto.wire import Body, Description, Page, Wire

CalendarDays = Annotated[
    list[date],
    Meta(max_length=MOST_DAYS, description="Whole days of each schedule's own zone, 1970-01-01 to 2999-12-31"),
]


class PutCalendarBody(Body, frozen=True):
    """All of it: what is not given is empty."""

    days: CalendarDays
    description: Description = ""


class ListedCalendarDto(Wire):
    """`usedBy` counts schedules. `version` counts its changes."""

    id: UUID
    name: str
    description: str
    day_count: int
    first_day: date | None
    last_day: date | None
    used_by: int
    version: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str


class CalendarDto(ListedCalendarDto):
    """`days` ascend, each is there once."""

    days: list[date]


CalendarPage = Annotated[Page[ListedCalendarDto], BodyKwarg(schema_component_key="CalendarPage")]
