"""Leases that spread the schedules over the replicas. Nothing depends on them: ticks are decided by expected versions.

Every second a replica says that it is there, renews what it holds, gives back what is more than its share and takes
what is free. A replica that is gone says nothing for 3 s; then the others take its partitions. While Postgres can't be
asked, everything is everybody's.
"""

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import asyncpg
import structlog

from linstock.cancellation import cancel
from linstock.migrations import quoted
from linstock.outage import plain
from services.scheduler import metrics

logger = structlog.get_logger(__name__)

COUNT = 64
LEASE_S = 3.0
RENEW_EVERY_S = 1.0
FORGET_S = 60.0

# Nobody else waits for these rows: losing the last second of them changes nothing.
_FAST = "SET LOCAL synchronous_commit = off"
_SAY = """
INSERT INTO {schema}.replicas AS known (replica, seen_at) VALUES ($1, clock_timestamp())
ON CONFLICT (replica) DO UPDATE SET seen_at = excluded.seen_at"""
_FORGET = "DELETE FROM {schema}.replicas WHERE abs(extract(epoch FROM seen_at - clock_timestamp())) > $1"
_LIVE = "SELECT count(*) FROM {schema}.replicas WHERE abs(extract(epoch FROM seen_at - clock_timestamp())) <= $1"
_RENEW = """
UPDATE {schema}.partitions SET until = clock_timestamp() + make_interval(secs => $2::float8) WHERE replica = $1
RETURNING partition"""
_GIVE_BACK = "UPDATE {schema}.partitions SET replica = NULL WHERE replica = $1 AND partition = ANY($2::smallint[])"
# A lease that ends far ahead was given before the clock was set back.
_TAKE = """
UPDATE {schema}.partitions SET replica = $1, until = clock_timestamp() + make_interval(secs => $2::float8)
WHERE partition IN (
    SELECT partition FROM {schema}.partitions
    WHERE replica IS NULL
        OR until NOT BETWEEN clock_timestamp() AND clock_timestamp() + make_interval(secs => 2 * $2::float8)
    ORDER BY partition LIMIT $3 FOR UPDATE SKIP LOCKED
) RETURNING partition"""
_LEAVE = "UPDATE {schema}.partitions SET replica = NULL WHERE replica = $1"
_GONE = "DELETE FROM {schema}.replicas WHERE replica = $1"


def partition_of(schedule_id: UUID) -> int:
    """Ids are uniform: they are uuid4 or uuid5."""
    return schedule_id.int % COUNT


class Partitions:
    """`on_change` is called when other partitions are held than before."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        *,
        schema: str,
        replica: UUID | None = None,
        lease_s: float = LEASE_S,
        every_s: float = RENEW_EVERY_S,
    ) -> None:
        self.held: frozenset[int] | None = None
        """None: nobody knows, so all are."""
        self._pool = pool
        self._schema = quoted(schema)
        self._replica = replica or uuid4()
        self._lease_s = lease_s
        self._every_s = every_s
        self._renewed_s = float("-inf")
        self._on_change: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None

    def on_change(self, listener: Callable[[], None]) -> None:
        self._on_change.append(listener)

    def mine(self, schedule_id: UUID) -> bool:
        """Whether this replica is to fire it."""
        return self.held is None or partition_of(schedule_id) in self.held

    async def start(self) -> None:
        await self._renewed()
        self._task = asyncio.create_task(self._run(), name="partitions")

    async def stop(self) -> None:
        """Gives back what it holds, so that others need not wait for the leases to end."""
        task, self._task = self._task, None
        if task is None:
            return
        await cancel(task)
        try:
            async with asyncio.timeout(self._lease_s), self._pool.acquire() as connection, connection.transaction():
                for statement in (_LEAVE, _GONE):
                    await connection.execute(self._sql(statement), self._replica)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            logger.info("Partitions are left to their leases", reason=plain(error))

    async def renew(self) -> frozenset[int]:
        """Says that this replica is there; what it holds from now on. Raises what Postgres raises."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_FAST)
            await connection.execute(self._sql(_SAY), self._replica)
            await connection.execute(self._sql(_FORGET), FORGET_S)
            live = await connection.fetchval(self._sql(_LIVE), self._lease_s)
            share = -(-COUNT // max(1, live))
            held = {row["partition"] for row in await connection.fetch(self._sql(_RENEW), self._replica, self._lease_s)}
            if extra := sorted(held)[share:]:
                await connection.execute(self._sql(_GIVE_BACK), self._replica, extra)
                held -= set(extra)
            elif len(held) < share:
                rows = await connection.fetch(self._sql(_TAKE), self._replica, self._lease_s, share - len(held))
                held |= {row["partition"] for row in rows}
        return frozenset(held)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            await self._renewed()

    async def _renewed(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._lease_s):
                held: frozenset[int] | None = await self.renew()
            self._renewed_s = loop.time()
        except Exception as error:  # whatever it is, nobody may wait for it
            held = self.held if loop.time() - self._renewed_s < self._lease_s else None
            if held is None and self.held is not None:
                logger.warning("Leases of partitions can't be renewed: all are fired", reason=plain(error))
        if held != self.held:
            self.held = held
            metrics.PARTITIONS.set(COUNT if held is None else len(held))
            for listener in self._on_change:
                listener()

    def _sql(self, statement: str) -> str:
        return statement.format(schema=self._schema)
