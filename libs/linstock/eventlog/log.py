"""The log as deciders' shells see it. Two implementations, one contract suite: Postgres and memory."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from linstock.eventlog.record import Append, Origin, Recorded


class Snapshot(Struct, frozen=True, kw_only=True):
    """A fold's state at `version`. `shape` names the state's encoding: one that differs is ignored, never decoded."""

    version: int
    shape: str
    state: bytes


class EventLog(Protocol):
    """One service's log. Safe for concurrent use from one event loop.

    Guarantees: appends of one call are all or nothing; commit order is position order, so a reader that has seen
    position n never misses a smaller one; an aggregate's versions are 1, 2, 3 … without holes.
    """

    name: str

    async def append(
        self, appends: Sequence[Append], origin: Origin, *, not_before: datetime | None = None
    ) -> tuple[Recorded, ...]:
        """Append all, or none. Empty event lists are allowed and ignored.

        Raises VersionConflict; FutureInstant when `not_before` is later than Postgres's clock; EventTooLarge when one
        event exceeds 768 KiB encoded. Any other error leaves the outcome unknown: load again and decide again.
        """
        ...

    async def load(self, aggregate_id: UUID, *, after: int = 0) -> list[Recorded]:
        """The aggregate's events with version > `after`, in order."""
        ...

    async def first_of(self, aggregate_ids: Sequence[UUID]) -> dict[UUID, Recorded]:
        """The first event of each aggregate that has one."""
        ...

    async def read(self, after: int, *, limit: int = 500) -> list[Recorded]:
        """Events of all aggregates with position > `after`, in order."""
        ...

    async def wait(self, after: int, *, timeout_s: float) -> bool:
        """True as soon as the log may hold an event after position `after` (appended by any process); False after
        `timeout_s`. May wake early."""
        ...

    async def last_position(self) -> int:
        """0 for an empty log."""
        ...

    async def epoch(self) -> UUID: ...

    async def snapshot(self, aggregate_id: UUID) -> Snapshot | None: ...

    async def save_snapshot(self, aggregate_id: UUID, snapshot: Snapshot) -> None:
        """Keeps the newest only; an older one than stored is ignored."""
        ...
