"""Ticks on real servers: each instant once, whoever races and whatever was away."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import uuid4

from linstock import names
from linstock.messages.job import JobCancelled, JobSucceeded, ScanRequested
from linstock.messages.schedule import (
    ScheduleChanged,
    ScheduleDefined,
    ScheduleDeleted,
    ScheduleDisabled,
    ScheduleEnabled,
    TickFired,
    TicksSkipped,
)
from tests.support.scheduler import Rig, rig
from tests.support.schedules import settings
from tests.support.waiting import becomes

EVERY_SECOND = "* * * * * *"


def decided(fired: list[TickFired], skipped: list[TicksSkipped]) -> Counter[datetime]:
    """How often each instant of a per-second schedule got a verdict."""
    instants = Counter(tick.instant for tick in fired)
    for run in skipped:
        instants.update(run.first + timedelta(seconds=second) for second in range(run.count))
    return instants


async def verdicts(world: Rig, schedule_id: object) -> Counter[datetime]:
    fired = [tick for tick in await world.log.of(TickFired) if tick.schedule_id == schedule_id]
    skipped = [run for run in await world.log.of(TicksSkipped) if run.schedule_id == schedule_id]
    return decided(fired, skipped)


def assert_each_once(instants: Counter[datetime]) -> None:
    assert set(instants.values()) == {1}
    first, last = min(instants), max(instants)
    assert len(instants) == (last - first).total_seconds() + 1, "an instant has no verdict"


async def test_two_schedulers_race_and_each_instant_is_decided_exactly_once(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world:
        await world.scheduler()
        await world.scheduler()
        libraries = [await world.libraries.create(settings(f"L{n}", cron=EVERY_SECOND)) for n in range(5)]
        schedules = [names.schedule_of(library_id) for library_id in libraries]

        async def enough() -> bool:
            return min([len(await verdicts(world, each)) for each in schedules]) >= 4

        await becomes(enough, expected=True)
        for schedule_id in schedules:
            assert_each_once(await verdicts(world, schedule_id))
        requested = {scan.job_id for scan in await world.log.of(ScanRequested)}
        assert requested == {tick.job_id for tick in await world.log.of(TickFired)}


async def test_after_a_stop_the_latest_missed_instant_fires_once_and_the_rest_is_accounted_for(
    nats_url: str, database_url: str
) -> None:
    async with rig(nats_url, database_url) as world:
        first = await world.scheduler()
        library_id = await world.libraries.create(settings(cron=EVERY_SECOND))
        [fired] = await world.log.wait_for(TickFired)
        await first.stop()
        stopped = await world.log.of(TicksSkipped)

        # While nobody is there, time goes on: until Postgres is at least three instants further.
        clock_of_postgres = fired.instant + timedelta(seconds=3 + len(stopped))
        await becomes(lambda: _reached(world, clock_of_postgres), expected=True)
        await world.scheduler()
        runs = await world.log.wait_for(TicksSkipped, len(stopped) + 2)

    missed, overlap = runs[len(stopped)], runs[len(stopped) + 1]
    assert (missed.reason, overlap.reason) == ("misfire", "overlap")  # the first scan is still open: nobody ran it
    assert missed.count >= 2
    assert overlap.first == missed.last + timedelta(seconds=1)
    assert_each_once(decided([fired], runs))
    assert fired.schedule_id == names.schedule_of(library_id)


async def test_a_schedule_follows_its_library(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world:
        await world.scheduler()
        library_id = await world.libraries.create(settings("Asleep", auto_scan=False))
        [made] = await world.log.wait_for(ScheduleDefined)
        assert (made.name, made.description) == ("Library Scan - Asleep", "Automatic scan for library: Asleep")
        assert not made.enabled
        await world.libraries.change(library_id, settings("Asleep"))
        await world.log.wait_for(ScheduleEnabled, timeout_s=5)
        await world.libraries.change(library_id, settings("Awake"))
        [renamed] = await world.log.wait_for(ScheduleChanged)
        assert renamed.name == "Library Scan - Awake"
        await world.libraries.change(library_id, settings("Awake", auto_scan=False))
        await world.log.wait_for(ScheduleDisabled)
        await world.libraries.delete(library_id)
        await world.log.wait_for(ScheduleDeleted)


async def test_deleting_a_library_cancels_its_open_scan_and_ends_its_ticks(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world:
        await world.scheduler()
        library_id = await world.libraries.create(settings(cron=EVERY_SECOND))
        [requested] = await world.log.wait_for(ScanRequested)
        await world.libraries.delete(library_id)
        [cancelled] = await world.log.wait_for(JobCancelled)
        assert (cancelled.job_id, cancelled.reason) == (requested.job_id, "library deleted")
        assert await world.log.of(JobSucceeded) == []


async def test_a_deletion_heard_first_leaves_no_schedule_behind(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world:
        library_id = uuid4()
        await world.libraries.create(settings(cron=EVERY_SECOND), library_id)
        await world.libraries.delete(library_id)
        await world.scheduler()
        await world.log.wait_for(ScheduleDeleted)


async def _reached(world: Rig, instant: datetime) -> bool:
    return await world.postgres_time() >= instant
