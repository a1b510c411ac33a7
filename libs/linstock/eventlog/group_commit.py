"""Group commit: appends that arrive while a commit is in flight go together in the next one.

At idle nothing waits. A commit holds at most 500 events and 1 MiB (a larger append goes alone) and one append per
aggregate. A refused commit is halved until only the guilty appends fail; after any other error the outcome of all in
that commit is unknown, and each of its callers gets the error.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

from linstock.eventlog.record import FutureInstant, VersionConflict
from linstock.eventlog.stored import Encoded

LIMIT_EVENTS = 500
LIMIT_BYTES = 1024 * 1024

Insert = Callable[[Sequence["Entry"]], Awaitable[Sequence[int]]]


class LogClosed(Exception):
    """The log was closed; nothing was appended."""


class Entry:
    """One caller's append: all or nothing, whatever it is committed with."""

    def __init__(self, encoded: Encoded, not_before: datetime | None = None) -> None:
        self.rows = encoded.rows
        self.expected = encoded.expected
        self.not_before = not_before
        self.size_bytes = sum(len(row.state) for row in self.rows)
        self.positions: asyncio.Future[Sequence[int]] = asyncio.get_running_loop().create_future()

    def aggregate_ids(self) -> list[UUID]:
        return [aggregate_id for aggregate_id, _ in self.expected]

    def done(self, positions: Sequence[int]) -> None:
        if not self.positions.done():  # the caller may have been cancelled
            self.positions.set_result(positions)

    def failed(self, error: BaseException) -> None:
        if not self.positions.done():
            self.positions.set_exception(error)


class GroupCommit:
    """Hands batches to `insert`, one at a time. `insert` answers with a position per row, or raises VersionConflict,
    FutureInstant (nothing was inserted) or anything else (outcome unknown)."""

    def __init__(self, insert: Insert) -> None:
        self._insert = insert
        self._waiting: deque[Entry] = deque()
        self._work: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, entry: Entry) -> Sequence[int]:
        """The positions of its rows, once durable. Cancelling the caller leaves the outcome unknown and disturbs
        nobody else."""
        if self._closed:
            raise LogClosed
        self._waiting.append(entry)
        if self._work is None:
            self._work = asyncio.create_task(self._run(), name="group-commit")
        return await entry.positions

    async def close(self) -> None:
        """Waits for what was submitted."""
        self._closed = True
        if self._work is not None:
            await asyncio.wait([self._work])

    async def _run(self) -> None:
        try:
            while batch := take_batch(self._waiting):
                await self._commit(batch)
        finally:
            self._work = None
            while self._waiting:  # only when this task was killed: nobody may wait for ever
                self._waiting.popleft().failed(LogClosed())

    async def _commit(self, batch: Sequence[Entry]) -> None:
        try:
            positions = iter(await self._insert(batch))
        except (VersionConflict, FutureInstant) as error:
            if len(batch) > 1:
                await self._commit(batch[: len(batch) // 2])
                await self._commit(batch[len(batch) // 2 :])
            else:
                batch[0].failed(_own(error, batch[0]))
        except BaseException as error:
            for entry in batch:
                entry.failed(error if isinstance(error, Exception) else LogClosed())
            if not isinstance(error, Exception):
                raise
        else:
            for entry in batch:
                entry.done([next(positions) for _ in entry.rows])


def take_batch(waiting: deque[Entry]) -> list[Entry]:
    """Removes from `waiting` what goes into the next commit. Appends to one aggregate keep their order."""
    batch: list[Entry] = []
    passed: list[Entry] = []
    busy: set[UUID] = set()
    events = size_bytes = 0
    while waiting:
        entry = waiting.popleft()
        if entry.positions.done():
            continue
        events, size_bytes = events + len(entry.rows), size_bytes + entry.size_bytes
        if batch and (events > LIMIT_EVENTS or size_bytes > LIMIT_BYTES):
            waiting.appendleft(entry)
            break
        ids = entry.aggregate_ids()
        if busy.isdisjoint(ids):
            batch.append(entry)
        else:
            passed.append(entry)
            events, size_bytes = events - len(entry.rows), size_bytes - entry.size_bytes
        busy.update(ids)
    waiting.extendleft(reversed(passed))
    return batch


def _own(error: VersionConflict | FutureInstant, entry: Entry) -> Exception:
    if isinstance(error, VersionConflict):
        own = VersionConflict(entry.aggregate_ids())
        own.__cause__ = error
        return own
    return error
