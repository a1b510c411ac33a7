"""Every event as a row, and where in its log each hour is. From every log."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from linstock.messages.job import ScanRequested
from linstock.messages.schedule import ScheduleChanged, ScheduleDefined
from services.projection.fact import Fact
from services.projection.rows import Added, Rows

CARRIED_BYTES = 64 * 1024
HOUR_S = 3600

FLOORS = "event_floors"
"""Up to where each log has been forgotten. Written by what forgets."""


class Event(Struct, frozen=True, gc=False):
    """`data` is None when it is larger than 64 KiB; `data_bytes` is its size either way."""

    workspace: str
    log: str
    position: int
    event_id: UUID
    type: str
    at: datetime
    actor: str
    aggregate: str
    aggregate_id: UUID
    version: int
    library_id: UUID | None
    correlation_id: UUID
    causation_id: UUID | None
    data: str | None
    data_bytes: int


class Hour(Struct, frozen=True, gc=False):
    """All events of `log` whose time is in `hour` (since 1970) stand between these positions, both included."""

    hour: int
    log: str
    first_position: int
    last_position: int


def rows() -> Added[Event]:
    return Added("events", Event, key=("workspace", "log", "position"))


def hours() -> Rows[Hour]:
    return Rows("event_hours", Hour, key=("hour", "log"))


def hour_of(at: datetime) -> int:
    return int(at.timestamp()) // HOUR_S


def fold(events: Added[Event], fact: Fact, known: UUID | None) -> None:
    """`known`: the library of what the event is about, should the event itself not tell it."""
    told = fact.recorded
    body = memoryview(told.data)
    size = body.nbytes
    events.put(
        Event(
            fact.workspace,
            fact.log,
            fact.position,
            told.event_id,
            told.type,
            fact.time,
            fact.actor,
            told.aggregate,
            fact.aggregate_id,
            fact.version,
            _library(fact) or known,
            told.correlation_id,
            told.causation_id,
            str(body, "utf-8", "replace") if size <= CARRIED_BYTES else None,
            size,
        )
    )


def note_hours(hours: Rows[Hour], facts: Iterable[Fact]) -> None:
    """Positions ascend, so only the end of an hour moves, whatever the clocks do."""
    spans: dict[tuple[int, str], list[int]] = {}
    for fact in facts:
        spans.setdefault((hour_of(fact.time), fact.log), []).append(fact.position)
    for (hour, log), positions in spans.items():
        known = hours.get((hour, log))
        hours.put(Hour(hour, log, known.first_position if known else positions[0], positions[-1]))


def _library(fact: Fact) -> UUID | None:
    match fact.event:
        case ScanRequested() | ScheduleDefined() | ScheduleChanged() as event:
            return event.target.library_id
        case event:
            library_id: UUID | None = getattr(event, "library_id", None)
            return library_id
