"""The index as rows: read at start, written every few seconds together with the position they reflect.

Any number of replicas write the same rows. The position only moves forward, under its row's lock, and whoever is behind
writes nothing: the rows then hold what it would have written, or newer.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from linstock.migrations import quoted
from services.scheduler.calendars import KnownCalendar, used_by
from services.scheduler.index import Index, further_of
from services.scheduler.known import KnownHints, KnownJob, KnownSchedule
from services.scheduler.shelf import PACKING, pack, unpack

T = TypeVar("T")

SHAPE = f"index.v7.{PACKING}"
PREFETCH = 2_000
ROWS = 100  # in one statement; to pack them takes a millisecond

_LOAD = "SELECT position, decided FROM {schema}.index_position WHERE epoch = $1 AND shape = $2"
_MOVE = """
INSERT INTO {schema}.index_position AS stored (position, epoch, shape, decided) VALUES ($1, $2, $3, $4)
ON CONFLICT (single) DO UPDATE SET
    position = excluded.position, epoch = excluded.epoch, shape = excluded.shape, decided = excluded.decided
WHERE stored.position < excluded.position AND stored.epoch = excluded.epoch AND stored.shape = excluded.shape
RETURNING position"""
_LOAD_SCHEDULES = "SELECT schedule_id, known, due, library_id, calendars, tzdata = $1 FROM {schema}.index_schedules"
_PUT_SCHEDULES = """
INSERT INTO {schema}.index_schedules (schedule_id, known, due, library_id, calendars, tzdata)
SELECT *, $6 FROM unnest($1::uuid[], $2::bytea[], $3::timestamptz[], $4::uuid[], $5::text[])
ON CONFLICT (schedule_id) DO UPDATE SET
    known = excluded.known, due = excluded.due, calendars = excluded.calendars, tzdata = excluded.tzdata"""
_PUT_JOBS = """
INSERT INTO {schema}.index_open_jobs (job_id, known) SELECT * FROM unnest($1::uuid[], $2::bytea[])
ON CONFLICT (job_id) DO UPDATE SET known = excluded.known"""
_PUT_CALENDAR = """
INSERT INTO {schema}.index_calendars (calendar_id, known) VALUES ($1, $2)
ON CONFLICT (calendar_id) DO UPDATE SET known = excluded.known"""
_CLOSE_JOBS = "DELETE FROM {schema}.index_open_jobs WHERE job_id = ANY($1)"

_PUT_HINTS = """
INSERT INTO {schema}.index_hints (library_id, known) SELECT * FROM unnest($1::uuid[], $2::bytea[])
ON CONFLICT (library_id) DO UPDATE SET known = excluded.known"""
_TAKE_HINTS = "DELETE FROM {schema}.index_hints WHERE library_id = ANY($1)"

_FORGET = """
TRUNCATE {schema}.index_position, {schema}.index_schedules, {schema}.index_open_jobs, {schema}.index_calendars,
    {schema}.index_hints"""


class Snapshot(Struct, frozen=True):
    """What changed since the last one, as of `position`. Taken in one go: nothing in it moves any more."""

    position: int
    decided: datetime | None
    schedules: Sequence[tuple[UUID, KnownSchedule | bytes, datetime | None]]
    opened: Sequence[KnownJob]
    closed: Sequence[UUID]
    calendars: Sequence[KnownCalendar] = ()
    hinted: Sequence[KnownHints] = ()
    taken: Sequence[UUID] = ()

    @staticmethod
    def of(
        index: Index,
        schedules: Collection[UUID],
        jobs: Collection[UUID],
        calendars: Collection[UUID] = (),
        hints: Collection[UUID] = (),
    ) -> "Snapshot":
        return Snapshot(
            position=index.position,
            decided=index.decided,
            schedules=[(each, index.schedules.stored(each), index.due.get(each)) for each in schedules],
            opened=[index.jobs[each] for each in jobs if each in index.jobs],
            closed=[each for each in jobs if each not in index.jobs],
            calendars=[index.calendars.known[each] for each in calendars],
            hinted=[index.hints[each] for each in hints if each in index.hints],
            taken=[each for each in hints if each not in index.hints],
        )


class IndexTable:
    """Rows of one schema. `epoch` is the log's: rows of another epoch count for nothing. `tzdata` is the edition of the
    time zone rules in this process."""

    def __init__(self, pool: asyncpg.Pool, *, schema: str, epoch: UUID, tzdata: str) -> None:
        self._pool = pool
        self._schema = quoted(schema)
        self._epoch = epoch
        self._tzdata = tzdata

    async def load(self, index: Index) -> None:
        """Fills the index; leaves it empty, at position 0, when there is nothing usable (the tail makes it again)."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            stored = await connection.fetchrow(self._sql(_LOAD), self._epoch, SHAPE)
            if stored is None:
                return
            jobs = await connection.fetch(self._sql("SELECT known FROM {schema}.index_open_jobs"))
            calendars = await connection.fetch(self._sql("SELECT known FROM {schema}.index_calendars"))
            opened = [msgspec.json.decode(row["known"], type=KnownJob) for row in jobs]
            defined = [msgspec.json.decode(row["known"], type=KnownCalendar) for row in calendars]
            waiting = await connection.fetch(self._sql("SELECT known FROM {schema}.index_hints"))
            hinted = [msgspec.json.decode(row["known"], type=KnownHints) for row in waiting]
            index.restore(stored["position"], stored["decided"], opened, defined, hinted)
            rows = connection.cursor(self._sql(_LOAD_SCHEDULES), self._tzdata, prefetch=PREFETCH)
            async for schedule_id, packed, due, library_id, used, current in rows:
                index.shelve(schedule_id, packed, due, library_id, tuple(map(UUID, used.split())))
                if not current:
                    known = unpack(packed)
                    index.keep(known, known)

    async def forget(self) -> None:
        """Makes the next start read the whole log."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(self._sql(_FORGET))

    async def save(self, snapshot: Snapshot) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            position = snapshot.position, self._epoch, SHAPE, snapshot.decided
            if not await connection.fetchval(self._sql(_MOVE), *position):
                return
            for schedules in _some(snapshot.schedules):
                rows = [_row(*each) for each in schedules]
                await connection.execute(self._sql(_PUT_SCHEDULES), *zip(*rows, strict=True), self._tzdata)
            for jobs in _some(snapshot.opened):
                ids, encoded = [job.job_id for job in jobs], [msgspec.json.encode(job) for job in jobs]
                await connection.execute(self._sql(_PUT_JOBS), ids, encoded)
            await connection.execute(self._sql(_CLOSE_JOBS), snapshot.closed)
            defined = [(each.calendar_id, msgspec.json.encode(each)) for each in snapshot.calendars]
            await connection.executemany(self._sql(_PUT_CALENDAR), defined)
            for hints in _some(snapshot.hinted):
                ids, encoded = [each.library_id for each in hints], [msgspec.json.encode(each) for each in hints]
                await connection.execute(self._sql(_PUT_HINTS), ids, encoded)
            if snapshot.taken:
                await connection.execute(self._sql(_TAKE_HINTS), snapshot.taken)

    def _sql(self, template: str) -> str:
        return template.format(schema=self._schema)


def _some(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    return (rows[first : first + ROWS] for first in range(0, len(rows), ROWS))


def _row(
    schedule_id: UUID, kept: KnownSchedule | bytes, due: datetime | None
) -> tuple[UUID, bytes, datetime | None, UUID | None, str]:
    known, packed = (unpack(kept), kept) if isinstance(kept, bytes) else (kept, pack(kept))
    return schedule_id, packed, due, further_of(known), " ".join(map(str, used_by(known)))
