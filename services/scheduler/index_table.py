"""The index as rows: read at start, written every few seconds together with the position they reflect.

Any number of replicas write the same rows. The position only moves forward, under its row's lock, and whoever is behind
writes nothing: the rows then hold what it would have written, or newer.
"""

from collections.abc import Collection
from uuid import UUID

import asyncpg
import msgspec

from linstock.migrations import quoted
from services.scheduler.calendars import KnownCalendar
from services.scheduler.index import Index
from services.scheduler.known import KnownJob, KnownSchedule

SHAPE = "index.v4"

_LOAD = "SELECT position FROM {schema}.index_position WHERE epoch = $1 AND shape = $2"
_MOVE = """
INSERT INTO {schema}.index_position AS stored (position, epoch, shape) VALUES ($1, $2, $3)
ON CONFLICT (single) DO UPDATE SET position = excluded.position, epoch = excluded.epoch, shape = excluded.shape
WHERE stored.position < excluded.position AND stored.epoch = excluded.epoch AND stored.shape = excluded.shape
RETURNING position"""
_PUT_SCHEDULE = """
INSERT INTO {schema}.index_schedules (schedule_id, known) VALUES ($1, $2)
ON CONFLICT (schedule_id) DO UPDATE SET known = excluded.known"""
_PUT_JOB = """
INSERT INTO {schema}.index_open_jobs (job_id, known) VALUES ($1, $2)
ON CONFLICT (job_id) DO UPDATE SET known = excluded.known"""
_PUT_CALENDAR = """
INSERT INTO {schema}.index_calendars (calendar_id, known) VALUES ($1, $2)
ON CONFLICT (calendar_id) DO UPDATE SET known = excluded.known"""
_CLOSE_JOBS = "DELETE FROM {schema}.index_open_jobs WHERE job_id = ANY($1)"

_FORGET = """
TRUNCATE {schema}.index_position, {schema}.index_schedules, {schema}.index_open_jobs, {schema}.index_calendars"""


class IndexTable:
    """Rows of one schema. `epoch` is the log's: rows of another epoch count for nothing."""

    def __init__(self, pool: asyncpg.Pool, *, schema: str, epoch: UUID) -> None:
        self._pool = pool
        self._schema = quoted(schema)
        self._epoch = epoch

    async def load(self, index: Index) -> None:
        """Fills the index; leaves it empty, at position 0, when there is nothing usable (the tail makes it again)."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            position = await connection.fetchval(self._sql(_LOAD), self._epoch, SHAPE)
            if position is None:
                return
            schedules = await connection.fetch(self._sql("SELECT known FROM {schema}.index_schedules"))
            jobs = await connection.fetch(self._sql("SELECT known FROM {schema}.index_open_jobs"))
            calendars = await connection.fetch(self._sql("SELECT known FROM {schema}.index_calendars"))
        index.restore(
            position,
            [msgspec.json.decode(row["known"], type=KnownSchedule) for row in schedules],
            [msgspec.json.decode(row["known"], type=KnownJob) for row in jobs],
            [msgspec.json.decode(row["known"], type=KnownCalendar) for row in calendars],
        )

    async def forget(self) -> None:
        """Makes the next start read the whole log."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(self._sql(_FORGET))

    async def save(
        self, index: Index, schedules: Collection[UUID], jobs: Collection[UUID], calendars: Collection[UUID] = ()
    ) -> None:
        """Store what changed since the last save that returned. Takes its values before it first waits."""
        position = index.position
        changed = [(each, msgspec.json.encode(index.schedules[each])) for each in schedules]
        opened = [(each, msgspec.json.encode(index.jobs[each])) for each in jobs if each in index.jobs]
        defined = [(each, msgspec.json.encode(index.calendars.known[each])) for each in calendars]
        closed = [each for each in jobs if each not in index.jobs]
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(self._sql(_MOVE), position, self._epoch, SHAPE):
                return
            await connection.executemany(self._sql(_PUT_SCHEDULE), changed)
            await connection.executemany(self._sql(_PUT_JOB), opened)
            await connection.execute(self._sql(_CLOSE_JOBS), closed)
            await connection.executemany(self._sql(_PUT_CALENDAR), defined)

    def _sql(self, template: str) -> str:
        return template.format(schema=self._schema)
