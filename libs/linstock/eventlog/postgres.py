"""A log in Postgres: one schema, written through the eventsourcing library's recorder in threads."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import ParamSpec, TypeVar
from uuid import UUID, uuid4

import asyncpg
from eventsourcing.persistence import InterfaceError, Notification, OperationalError, StoredEvent

from linstock.crashpoints import reach
from linstock.eventlog.group_commit import Entry, GroupCommit
from linstock.eventlog.listener import Listener
from linstock.eventlog.log import Snapshot
from linstock.eventlog.record import Append, Origin, Recorded
from linstock.eventlog.recorder import LogDatastore, LogRecorder, channel_of
from linstock.eventlog.snapshots import SnapshotTable
from linstock.eventlog.stored import encode, recorded, to_recorded
from linstock.eventlog.wakeup import Wakeup
from linstock.migrations import advisory_key, migrate

MIGRATIONS = Path(__file__).parent / "migrations"
READERS = 3
READ_ATTEMPTS = READERS + 2  # one per connection that may be dead, and one that is new
POLL_S = 1.0

P = ParamSpec("P")
T = TypeVar("T")


class PostgresLog:
    """See EventLog for what it promises. `name` is also its schema. Uses at most 5 connections."""

    def __init__(self, name: str, dsn: str) -> None:
        """Use `open`."""
        self.name = name
        self._datastore = LogDatastore(dsn, schema=name, pool_size=READERS + 1)
        self._recorder: LogRecorder
        self._snapshots = SnapshotTable(self._datastore)
        self._writer = ThreadPoolExecutor(1, f"{name}-writer")
        self._readers = ThreadPoolExecutor(READERS, f"{name}-reader")
        self._commits = GroupCommit(self._insert)
        self.grown = Wakeup()
        self._listener = Listener(dsn, channel_of(name), self.ring_from)
        self.seen = 0  # the last position that this process knows of

    @classmethod
    async def open(cls, name: str, dsn: str) -> "PostgresLog":
        """Makes or migrates the schema first. Raises what asyncpg raises when Postgres is away, and NewerDatabase."""
        connection = await asyncpg.connect(dsn)
        try:
            await migrate(connection, name, MIGRATIONS)
            log = cls(name, dsn)
            try:
                # Two processes that start at once would otherwise trip over each other's CREATE … IF NOT EXISTS.
                await connection.execute("SELECT pg_advisory_lock($1)", advisory_key("tables", name))
                await log._read(log._make_tables)
            except BaseException:
                await log.close()
                raise
        finally:
            await connection.close()
        return log

    async def close(self) -> None:
        """Waits for appends under way. Safe to call twice."""
        await self._commits.close()
        await self._listener.close()
        for executor in (self._writer, self._readers):
            executor.shutdown(wait=False)
        await asyncio.to_thread(self._datastore.close)

    async def append(
        self, appends: Sequence[Append], origin: Origin, *, not_before: datetime | None = None
    ) -> tuple[Recorded, ...]:
        encoded = encode(appends, origin, _random_ids())
        if not encoded.rows:
            return ()
        positions = await self._commits.submit(Entry(encoded, not_before))
        return tuple(to_recorded(self.name, at, row) for at, row in zip(positions, encoded.rows, strict=True))

    async def load(self, aggregate_id: UUID, *, after: int = 0) -> list[Recorded]:
        return await self._read(self._load, aggregate_id, after)

    async def first_of(self, aggregate_ids: Sequence[UUID]) -> dict[UUID, Recorded]:
        return await self._read(self._first_of, aggregate_ids)

    async def read(self, after: int, *, limit: int = 500) -> list[Recorded]:
        return await self._read(self._read_after, after, limit)

    async def wait(self, after: int, *, timeout_s: float) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            rung = self.grown.expect()
            try:
                self._listener.start()
                if self.seen > after or await self.last_position() > after:
                    return True
                if (left := deadline - loop.time()) <= 0:
                    return False
                # A notification is lost while the listener reconnects: the poll makes up for it.
                await asyncio.wait([rung], timeout=min(left, POLL_S))
            finally:
                self.grown.forget(rung)

    async def last_position(self) -> int:
        last = await self._read(self._recorder.max_notification_id) or 0
        self.saw(last)
        return last

    async def epoch(self) -> UUID:
        return await self._read(self._recorder.epoch)

    async def snapshot(self, aggregate_id: UUID) -> Snapshot | None:
        return await self._read(self._snapshots.get, aggregate_id)

    async def save_snapshot(self, aggregate_id: UUID, snapshot: Snapshot) -> None:
        await self._read(self._snapshots.put, aggregate_id, snapshot)

    def saw(self, position: int) -> None:
        self.seen = max(self.seen, position)

    def ring_from(self, server_pid: int) -> None:
        """A notification came. This log's own commits ring by themselves, and sooner."""
        if server_pid != self._recorder.server_pid:
            self.grown.ring()

    async def _insert(self, batch: Sequence[Entry]) -> Sequence[int]:
        events = [
            StoredEvent(row.aggregate_id, row.version, row.topic, row.state) for entry in batch for row in entry.rows
        ]
        expected = [each for entry in batch for each in entry.expected if each[1] > 0]
        instants = [entry.not_before for entry in batch if entry.not_before]
        not_before = max(instants) if instants else None
        reach("before_append")
        loop = asyncio.get_running_loop()
        positions = await loop.run_in_executor(self._writer, self._recorder.append, events, expected, not_before)
        self.saw(positions[-1])
        self.grown.ring()
        return positions

    async def _read(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """In a thread. After Postgres was away, pooled connections are dead: reading again is harmless."""
        loop = asyncio.get_running_loop()
        for attempt in range(READ_ATTEMPTS):
            try:
                return await loop.run_in_executor(self._readers, lambda: call(*args, **kwargs))
            except (InterfaceError, OperationalError):
                if attempt == READ_ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _make_tables(self) -> None:
        self._recorder = LogRecorder(self._datastore)
        self._recorder.create_table()

    def _load(self, aggregate_id: UUID, after: int) -> list[Recorded]:
        return [self._recorded(found) for found in self._recorder.load(aggregate_id, after=after)]

    def _first_of(self, aggregate_ids: Sequence[UUID]) -> dict[UUID, Recorded]:
        found = map(self._recorded, self._recorder.first_of(aggregate_ids))
        return {each.aggregate_id: each for each in found}

    def _read_after(self, after: int, limit: int) -> list[Recorded]:
        found = self._recorder.select_notifications(after, limit, inclusive_of_start=False)
        return [self._recorded(each) for each in found]

    def _recorded(self, found: Notification) -> Recorded:
        assert isinstance(found.originator_id, UUID)
        return recorded(self.name, found.id, found.originator_id, found.originator_version, found.topic, found.state)


def _random_ids() -> Iterator[UUID]:
    # Random, never derived: a log that went back in time is recognised by the other ids at the same positions.
    while True:
        yield uuid4()
