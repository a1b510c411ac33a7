"""Events over HTTP."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from services.api.dto.wire import Wire


class EventDto(Wire):
    """`id` is the CloudEvents id. `version` is the aggregate's. `libraryId` is null where no library is concerned.
    `data` is the event's own JSON, by `type` as in contracts/schemas; null when it is larger than 64 KiB, and then
    `dataBytes` is its size."""

    id: UUID
    type: str
    log: str
    position: int
    time: datetime
    workspace: str
    actor: str
    aggregate: str
    aggregate_id: UUID
    version: int
    library_id: UUID | None
    correlation_id: UUID
    causation_id: UUID | None
    data: Annotated[dict[str, Any] | None, Meta(description="The event's own JSON")]
    data_bytes: int | None


class EventPage(Wire):
    """`next` is always there: after the last page, ask again with it for what has happened since."""

    data: list[EventDto]
    next: str
    has_more: bool


class SentEvent(Wire):
    """What one event of the stream is to who listens (EventSource): of /events/stream `data` holds an
    EventDto, `id` the cursor after it, and `event` is `reset` when the cursor's place is no more."""

    data: str
    id: str | UnsetType = UNSET
    event: str = "message"
