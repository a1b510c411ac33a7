"""Several schedulers: who fires what first, and what becomes of it when one is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from linstock import names
from linstock.messages.schedule import TickFired, TicksSkipped
from linstock.migrations import migrate
from services.scheduler.app import MIGRATIONS, Limits
from services.scheduler.partitions import COUNT, Partitions
from tests.bench.servers import Servers, ready_service
from tests.support.scheduler import Rig, rig
from tests.support.schedules import settings
from tests.support.waiting import becomes

ALL = frozenset(range(COUNT))
PATIENT = Limits(lease_timeout_s=60, again_after_s=60)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    connection = await asyncpg.connect(database_url)
    await migrate(connection, names.SCHEDULER, MIGRATIONS)
    await connection.close()
    async with asyncpg.create_pool(database_url, min_size=1, max_size=4) as pool:
        yield pool


def replica(pool: asyncpg.Pool, number: int, *, lease_s: float = 60.0) -> Partitions:
    return Partitions(pool, schema=names.SCHEDULER, replica=UUID(int=number), lease_s=lease_s)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
async def test_every_partition_is_one_replicas_and_each_has_its_share(pool: asyncpg.Pool, count: int) -> None:
    replicas = [replica(pool, number) for number in range(1, count + 1)]
    held: list[frozenset[int]] = []
    for _ in range(2):  # the first to come has to hear of the others before it gives back
        held = [await each.renew() for each in replicas]
    held = [await each.renew() for each in replicas]
    assert frozenset().union(*held) == ALL
    assert sum(map(len, held)) == COUNT, "no partition is two replicas'"
    assert max(map(len, held)) - min(map(len, held)) <= count


async def test_what_a_dead_replica_held_is_taken_when_its_leases_are_over(pool: asyncpg.Pool) -> None:
    stays, dies = replica(pool, 1, lease_s=0.5), replica(pool, 2, lease_s=0.5)
    for each in (stays, dies, stays, dies):
        await each.renew()
    assert len(await stays.renew()) == COUNT // 2

    async def takes_all() -> frozenset[int]:
        return await stays.renew()

    await becomes(takes_all, ALL, timeout_s=5)


async def test_who_leaves_gives_back_at_once(pool: asyncpg.Pool) -> None:
    stays, leaves = replica(pool, 1), replica(pool, 2)
    await leaves.start()
    assert leaves.held == ALL
    await leaves.stop()
    assert await stays.renew() == ALL


async def test_a_clock_that_was_set_back_lets_no_lease_last(pool: asyncpg.Pool) -> None:
    await replica(pool, 1).renew()
    ahead = timedelta(hours=1)
    await pool.execute(f"UPDATE {names.SCHEDULER}.partitions SET until = until + $1", ahead)
    await pool.execute(f"UPDATE {names.SCHEDULER}.replicas SET seen_at = seen_at + $1", ahead)
    assert await replica(pool, 2).renew() == ALL


async def test_while_postgres_can_not_be_asked_everything_is_everybodys(pool: asyncpg.Pool) -> None:
    changes = []
    alone = Partitions(pool, schema=names.SCHEDULER, lease_s=0.2, every_s=0.05)
    other = replica(pool, 2, lease_s=0.2)
    await other.renew()
    await alone.start()
    alone.on_change(lambda: changes.append(alone.held))
    await pool.execute(f"ALTER TABLE {names.SCHEDULER}.partitions RENAME TO hidden")
    await becomes(lambda: alone.held, None)
    assert alone.mine(UUID(int=7))
    await pool.execute(f"ALTER TABLE {names.SCHEDULER}.hidden RENAME TO partitions")
    await becomes(lambda: alone.held, ALL)
    assert changes[-2:] == [None, ALL]
    await alone.stop()


async def every_instant_once(world: Rig, schedules: int) -> None:
    """Of schedules that fire every second, as far as all of them have got."""
    fired = await world.log.of(TickFired)
    skipped = await world.log.of(TicksSkipped)
    seen = [(tick.schedule_id, tick.instant) for tick in fired]
    seen += [
        (each.schedule_id, each.first + timedelta(seconds=second)) for each in skipped for second in range(each.count)
    ]
    assert len(seen) == len(set(seen)), "an instant has two verdicts"
    by_schedule: dict[UUID, list[datetime]] = {}
    for schedule_id, instant in sorted(seen):
        by_schedule.setdefault(schedule_id, []).append(instant)
    assert len(by_schedule) == schedules
    for instants in by_schedule.values():
        first, last = instants[0], instants[-1]
        assert len(instants) == (last - first).total_seconds() + 1, "an instant has no verdict"


async def test_when_one_of_three_is_killed_its_schedules_go_on_within_five_seconds(
    nats_url: str, database_url: str, tmp_path: Path
) -> None:
    schedules = 12
    async with rig(nats_url, database_url) as world:
        replicas = [await world.scheduler(PATIENT) for _ in range(2)]
        servers = Servers(nats_url=nats_url, database_url=database_url, folder=tmp_path)
        with ExitStack() as running:
            killed = await asyncio.to_thread(running.enter_context, ready_service(names.SCHEDULER, servers))
            for number in range(schedules):
                await world.libraries.create(settings(f"L{number}", path=f"/l{number}", cron="* * * * * *"))
            for each in replicas:
                await each.ready()
            await becomes(partial(decided_since, world, datetime.min.replace(tzinfo=UTC)), schedules)
            killed.kill()
            died_at = await world.postgres_time()
            await becomes(partial(decided_since, world, died_at), schedules, timeout_s=5)
        await every_instant_once(world, schedules)


async def decided_since(world: Rig, moment: datetime) -> int:
    """How many schedules have a verdict about a later instant."""
    decided = {skip.schedule_id for skip in await world.log.of(TicksSkipped) if skip.last > moment}
    decided |= {tick.schedule_id for tick in await world.log.of(TickFired) if tick.instant > moment}
    return len(decided)
