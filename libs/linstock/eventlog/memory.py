"""A log in memory, for tests: the same promises as PostgresLog, proven by the same contract suite."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from linstock.eventlog.log import Snapshot
from linstock.eventlog.record import Append, FutureInstant, Origin, Recorded, VersionConflict
from linstock.eventlog.stored import encode, to_recorded
from linstock.eventlog.wakeup import Wakeup


class MemoryLog:
    """`clock` stands for Postgres's."""

    def __init__(self, name: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.name = name
        self._clock = clock
        self._events: list[Recorded] = []
        self._by_aggregate: dict[UUID, list[Recorded]] = {}
        self._snapshots: dict[UUID, Snapshot] = {}
        self._epoch = uuid4()
        self._grown = Wakeup()

    async def append(
        self, appends: Sequence[Append], origin: Origin, *, not_before: datetime | None = None
    ) -> tuple[Recorded, ...]:
        encoded = encode(appends, origin, iter(uuid4, None))
        await asyncio.sleep(0)  # as with Postgres, others may append between the caller's decision and this
        if encoded.rows and not_before is not None and not_before > self._clock():
            raise FutureInstant(not_before)
        if stale := [each for each, version in encoded.expected if version != len(self._by_aggregate.get(each, ()))]:
            raise VersionConflict(stale)
        first = len(self._events) + 1
        recorded = tuple(to_recorded(self.name, position, row) for position, row in enumerate(encoded.rows, first))
        for event in recorded:
            self._events.append(event)
            self._by_aggregate.setdefault(event.aggregate_id, []).append(event)
        if recorded:
            self._grown.ring()
        return recorded

    async def load(self, aggregate_id: UUID, *, after: int = 0) -> list[Recorded]:
        return self._by_aggregate.get(aggregate_id, [])[after:]

    async def first_of(self, aggregate_ids: Sequence[UUID]) -> dict[UUID, Recorded]:
        return {each: found[0] for each in aggregate_ids if (found := self._by_aggregate.get(each))}

    async def read(self, after: int, *, limit: int = 500) -> list[Recorded]:
        return self._events[after : after + limit]

    async def wait(self, after: int, *, timeout_s: float) -> bool:
        return len(self._events) > after or await self._grown.wait(timeout_s)

    async def last_position(self) -> int:
        return len(self._events)

    async def epoch(self) -> UUID:
        return self._epoch

    async def snapshot(self, aggregate_id: UUID) -> Snapshot | None:
        return self._snapshots.get(aggregate_id)

    async def save_snapshot(self, aggregate_id: UUID, snapshot: Snapshot) -> None:
        stored = self._snapshots.get(aggregate_id)
        if stored is None or stored.version <= snapshot.version:
            self._snapshots[aggregate_id] = snapshot

    async def close(self) -> None:
        """So that it can stand in for a PostgresLog."""
