"""What goes into a log and what comes out of it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Raw, Struct

from linstock.messages.message import Message


class Origin(Struct, frozen=True, kw_only=True):
    """Who and what set an append off; the same for all its events. `at` becomes ce-time."""

    workspace: str
    actor: str
    at: datetime
    correlation_id: UUID
    causation_id: UUID | None = None  # ce-id of the event, or id of the command, that set this off
    traceparent: str | None = None


class Append(Struct, frozen=True, kw_only=True):
    """Events for one aggregate, whose last version is expected to be `expected_version` (0: it has none). `origin` is
    theirs, where it is another than that of the call."""

    aggregate: str  # "library", "schedule", "job", …
    aggregate_id: UUID
    expected_version: int
    events: Sequence[Message]
    origin: Origin | None = None


class Recorded(Struct, frozen=True, kw_only=True):
    """One event as it stands in the log, and as it arrives over JetStream. `data` is the event's own JSON (with its
    `type`). A position is (log, epoch, position): positions have holes, so `previous` names the predecessor's."""

    log: str
    position: int
    event_id: UUID
    type: str
    time: datetime
    workspace: str
    aggregate: str
    aggregate_id: UUID
    version: int
    actor: str
    correlation_id: UUID
    causation_id: UUID | None
    traceparent: str | None
    data: Raw


class VersionConflict(Exception):
    """Somebody else appended to this aggregate first; nothing was appended."""

    def __init__(self, aggregate_ids: Sequence[UUID]) -> None:
        super().__init__(f"{self.__doc__} {', '.join(map(str, aggregate_ids))}")
        self.aggregate_ids = tuple(aggregate_ids)


class FutureInstant(Exception):
    """An append named an instant that Postgres's clock has not reached; nothing was appended."""


class EventTooLarge(Exception):
    """One event exceeds 768 KiB encoded; nothing was appended."""

    def __init__(self, event_type: str, size_bytes: int) -> None:
        super().__init__(f"{self.__doc__} {event_type}: {size_bytes} bytes")
        self.event_type = event_type
        self.size_bytes = size_bytes
