"""Calendars: named days on which schedules do not fire. From the scheduler log. A deleted one keeps its row: it may be
defined again, and its version counts on."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.calendar import CalendarChanged, CalendarDefined, CalendarDeleted
from services.projection.fact import Fact
from services.projection.rows import Rows


class Calendar(Struct, frozen=True):
    """`days` is JSON, ascending; `first_day` and `last_day` are None where there are none."""

    calendar_id: UUID
    workspace: str
    name: str
    description: str
    days: str
    day_count: int
    first_day: str | None
    last_day: str | None
    version: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    deleted_at: datetime | None = None


def rows() -> Rows[Calendar]:
    return Rows("calendars", Calendar, key=("calendar_id",))


def reads(fact: Fact) -> Iterable[UUID]:
    match fact.event:
        case CalendarDefined() | CalendarChanged() | CalendarDeleted() as event:
            return (event.calendar_id,)
        case _:
            return ()


def fold(calendars: Rows[Calendar], fact: Fact) -> None:
    match fact.event:
        case CalendarDefined() | CalendarChanged() as event:
            calendars.put(_row(event, calendars.get(event.calendar_id), fact))
        case CalendarDeleted(calendar_id=calendar_id):
            if known := calendars.get(calendar_id):
                calendars.put(
                    replace(
                        known,
                        version=fact.version,
                        updated_at=fact.time,
                        updated_by=fact.actor,
                        deleted_at=fact.time,
                    )
                )
        case _:
            return


def _row(event: CalendarDefined | CalendarChanged, known: Calendar | None, fact: Fact) -> Calendar:
    before = known if known and known.deleted_at is None else None
    return Calendar(
        calendar_id=event.calendar_id,
        workspace=fact.workspace,
        name=event.name,
        description=event.description,
        days=msgspec.json.encode(event.days).decode(),
        day_count=len(event.days),
        first_day=event.days[0].isoformat() if event.days else None,
        last_day=event.days[-1].isoformat() if event.days else None,
        version=fact.version,
        created_at=before.created_at if before else fact.time,
        created_by=before.created_by if before else fact.actor,
        updated_at=fact.time,
        updated_by=fact.actor,
    )
