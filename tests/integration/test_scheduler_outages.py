"""The scheduler while NATS or Postgres is away, and after they come back."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from linstock import names
from linstock.embedded import EmbeddedNats, EmbeddedPostgres
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Append
from linstock.messages.job import JobStarted, JobSucceeded, ScanRequested
from linstock.messages.schedule import TickFired, TicksSkipped
from services.scheduler.app import Limits
from services.scheduler.index import Index
from services.scheduler.index_table import IndexTable, Snapshot
from services.scheduler.tail import Tail
from services.scheduler.tzdata import tzdata_version
from tests.support.scheduler import Rig, rig
from tests.support.schedules import scan_requested, settings
from tests.support.waiting import becomes

EVERY_SECOND = "* * * * * *"
PATIENT = Limits(lease_timeout_s=60, again_after_s=0.5)


@pytest.fixture
async def world(nats_url: str, database_url: str) -> AsyncIterator[Rig]:
    async with rig(nats_url, database_url) as made:
        yield made


async def test_without_postgres_nothing_fires_and_afterwards_no_instant_is_missing(
    nats_url: str, own_postgres: EmbeddedPostgres
) -> None:
    async with rig(nats_url, own_postgres.url) as world:
        scheduler = await world.scheduler(PATIENT)
        await world.libraries.create(settings(cron=EVERY_SECOND))
        [fired] = await world.log.wait_for(TickFired)
        own_postgres.kill()

        async def clock_is_gone() -> bool:
            return "clock" in await scheduler.vitals.unready()

        await becomes(clock_is_gone, expected=True)
        own_postgres.start()
        await scheduler.ready(timeout_s=20)
        before = len(await world.log.of(TicksSkipped))
        runs = await world.log.wait_for(TicksSkipped, before + 2)

    instant = fired.instant
    for run in runs:
        assert run.first == instant + timedelta(seconds=1), "an instant was decided twice, or never"
        instant = run.first + timedelta(seconds=run.count - 1)
        assert instant == run.last


async def test_nats_may_go_and_come_back(nats_server: EmbeddedNats, database_url: str) -> None:
    async with rig(nats_server.url, database_url) as world:
        scheduler = await world.scheduler(PATIENT)
        nats_server.kill()

        async def nats_is_gone() -> bool:
            return "nats" in await scheduler.vitals.unready()

        await becomes(nats_is_gone, expected=True)
        job = scan_requested()
        await world.log.append([Append(aggregate="job", aggregate_id=job.job_id, expected_version=0, events=[job])])
        nats_server.start()
        await scheduler.ready(timeout_s=20)
        worker = await world.worker()
        assert await worker.order() == (job.job_id, 1)
        await worker.report(await worker.claim(job.job_id))
        await world.log.wait_for(JobSucceeded)
        assert len(await world.log.of(JobStarted)) == 1


async def test_a_start_reads_the_stored_index_and_only_what_came_after(world: Rig) -> None:
    first = await world.scheduler(PATIENT)
    await world.libraries.create(settings(cron="0 0 1 1 *"))
    job = scan_requested()
    await world.log.append([Append(aggregate="job", aggregate_id=job.job_id, expected_version=0, events=[job])])
    await world.log.wait_for(ScanRequested)
    worker = await world.worker()
    assert await worker.order() == (job.job_id, 1)  # so the index has it: only from there are orders put
    await worker.claim(job.job_id)
    await first.stop()

    log = await PostgresLog.open(names.SCHEDULER, world.database_url)
    pool = await asyncpg.create_pool(world.database_url, min_size=0, max_size=2)
    try:
        table = IndexTable(pool, schema=names.SCHEDULER, epoch=await log.epoch(), tzdata=tzdata_version())
        stored, rebuilt = Index(), Index()
        await table.load(stored)
        assert stored.position > 0

        # Somebody who is behind does not overwrite what is stored.
        behind = Index()
        behind.apply((await log.read(0, limit=1))[0])
        await table.save(Snapshot.of(behind, [*behind.schedules], [*behind.jobs]))
        continued = Index()
        await table.load(continued)
        assert continued.position == stored.position
        for recorded in await log.read(continued.position):
            continued.apply(recorded)

        await table.forget()
        tail = Tail(log, rebuilt, table)
        await tail.start()
        await tail.stop()
    finally:
        await pool.close()
        await log.close()
    assert list(rebuilt.running) == [job.job_id]
    assert (rebuilt.position, rebuilt.jobs) == (continued.position, continued.jobs)
    assert rebuilt.schedules == continued.schedules
