"""The ticker against a log in memory and a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from linstock import names
from linstock.disk import GIB, Disk, Space
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Append, FutureInstant, Origin, Recorded, VersionConflict
from linstock.messages.job import JobCancelled, JobEvent, JobFailed, JobStarted, ScanRequested
from linstock.messages.rules import Rules
from linstock.messages.schedule import (
    ScheduleDefined,
    ScheduleEvent,
    SchedulePaused,
    ScheduleResumed,
    TickFired,
    TicksSkipped,
)
from services.scheduler.clock import PostgresClock
from services.scheduler.index import Index
from services.scheduler.job import Pending
from services.scheduler.known import JOB, SCHEDULE
from services.scheduler.schedule import Enabled
from services.scheduler.ticker import Ticker
from tests.support.schedules import JOB as JOB_ID
from tests.support.schedules import NOON, defined, scan_requested, seconds
from tests.support.schedules import SCHEDULE as SCHEDULE_ID
from tests.support.waiting import becomes


class CountedLog(MemoryLog):
    """Counts what it refused."""

    refused = 0

    async def append(
        self, appends: Sequence[Append], origin: Origin, *, not_before: datetime | None = None
    ) -> tuple[Recorded, ...]:
        try:
            return await super().append(appends, origin, not_before=not_before)
        except (FutureInstant, VersionConflict):
            self.refused += 1
            raise


class WatchedClock(PostgresClock):
    """Counts how often somebody asked and got no answer."""

    unknown = 0

    def now(self) -> datetime | None:
        found = super().now()
        self.unknown += found is None
        return found


class World:
    def __init__(self) -> None:
        self.time = NOON
        self.monotonic_s = 0.0
        self.log = CountedLog("scheduler", clock=lambda: self.time)
        self.free_bytes = 100 * GIB
        self.asked: list[UUID] = []
        self.looks = 0
        self.indexes: list[Index] = []
        self.tickers: list[Ticker] = []
        self._stoppers: list[Ticker | asyncio.Task[None]] = []

    async def read(self) -> datetime:
        return self.time

    def look(self, _: Path) -> Space:
        self.looks += 1
        return Space(self.free_bytes, 500 * GIB)

    async def define(self, *schedules: ScheduleDefined) -> None:
        for event in schedules:
            append = Append(aggregate="schedule", aggregate_id=event.schedule_id, expected_version=0, events=[event])
            origin = Origin(workspace="acme", actor="test", at=NOON, correlation_id=uuid4())
            await self.log.append([append], origin)

    async def ticker(self, *, believing: float | None = None, holds: Callable[[], bool] = lambda: True) -> WatchedClock:
        """Its clock; not measured yet, or `believing` that so many seconds went by. `holds`: all leases, or none."""

        def mine(schedule_id: UUID) -> bool:
            self.asked.append(schedule_id)
            return holds()

        index, clock = Index(), WatchedClock(self.read, monotonic=lambda: self.monotonic_s)
        self.indexes.append(index)
        if believing is not None:
            await clock.measure()
            self.monotonic_s += believing
        for recorded in await self.log.read(0):
            index.apply(recorded)
        self._stoppers.append(asyncio.create_task(self._follow(index)))
        ticker = Ticker(self.log, index, clock, mine=mine, disk=Disk(Path("/"), self.look), tzdata="2026a")
        self._stoppers.append(ticker)
        self.tickers.append(ticker)
        await ticker.start()
        return clock

    async def fired(self) -> list[datetime]:
        ticks = [SCHEDULE.decode(each.data) for each in await self.log.read(0) if each.type.endswith("tick_fired.v1")]
        return [tick.instant for tick in ticks if isinstance(tick, TickFired)]

    async def says(self, *events: JobEvent | SchedulePaused | ScheduleResumed) -> None:
        """Each to its own aggregate, as its next."""
        for event in events:
            if isinstance(event, SchedulePaused | ScheduleResumed):
                aggregate, aggregate_id = "schedule", event.schedule_id
            else:
                aggregate, aggregate_id = "job", event.job_id
            version = len(await self.log.load(aggregate_id))
            append = Append(aggregate=aggregate, aggregate_id=aggregate_id, expected_version=version, events=[event])
            await self.log.append([append], Origin(workspace="acme", actor="t", at=NOON, correlation_id=uuid4()))

    def cursor(self) -> datetime | None:
        """As the first ticker knows it."""
        state = self.indexes[0].schedules[SCHEDULE_ID].state
        return state.cursor if isinstance(state, Enabled) else None

    async def told(self) -> list[ScheduleEvent]:
        return [SCHEDULE.decode(each.data) for each in await self.log.read(0) if each.aggregate == "schedule"]

    async def jobs(self) -> list[JobEvent]:
        return [JOB.decode(each.data) for each in await self.log.read(0) if each.aggregate == "job"]

    async def stop(self) -> None:
        for each in reversed(self._stoppers):
            if isinstance(each, Ticker):
                await each.stop()
            else:
                each.cancel()

    async def _follow(self, index: Index) -> None:
        while True:
            for recorded in await self.log.read(index.position):
                index.apply(recorded)
            await self.log.wait(index.position, timeout_s=10)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.stop()


async def test_a_tick_is_one_append_of_the_tick_and_its_job(world: World) -> None:
    await world.define(defined(cron="*/10 * * * * *"))
    clock = await world.ticker()
    world.time = NOON + seconds(10)
    await clock.measure()
    await becomes(world.fired, [NOON + seconds(10)])
    request, tick = (await world.log.read(1))[-2:]
    scan, fired = JOB.decode(request.data), SCHEDULE.decode(tick.data)
    assert isinstance(scan, ScanRequested)
    assert isinstance(fired, TickFired)
    assert (scan.job_id, scan.instant, scan.triggered_by) == (fired.job_id, NOON + seconds(10), "Scheduler")
    assert scan.job_id == names.job_of_tick(fired.schedule_id, fired.instant.isoformat())
    assert (request.workspace, request.version, tick.actor) == ("acme", 1, "scheduler")


async def test_while_nobody_knows_the_time_nothing_fires(world: World) -> None:
    await world.define(defined(cron="* * * * * *"))
    clock = await world.ticker(believing=5)  # the measurement is too old, however far time went
    world.time = NOON + seconds(5)
    await becomes(lambda: clock.unknown >= 3, expected=True)
    assert await world.fired() == []
    await clock.measure()
    await becomes(world.fired, [NOON + seconds(5)])


async def test_on_a_full_disk_nothing_fires_and_afterwards_the_latest_instant_is_caught_up(world: World) -> None:
    await world.define(defined(cron="* * * * * *"))
    world.free_bytes = 0
    clock = await world.ticker()
    world.time = NOON + seconds(3)
    await clock.measure()
    until = world.looks + 3
    await becomes(lambda: world.looks >= until, expected=True)
    assert await world.fired() == []
    world.free_bytes = 100 * GIB
    await becomes(world.fired, [NOON + seconds(3)])


async def test_a_clock_that_runs_ahead_of_postgres_fires_nothing_early(world: World) -> None:
    await world.define(defined(cron="* * * * * *"))
    await world.ticker(believing=1.5)  # Postgres still says 12:00:00
    await becomes(lambda: world.log.refused >= 2, expected=True)
    assert await world.fired() == []
    world.time = NOON + seconds(1.5)
    await becomes(world.fired, [NOON + seconds(1)])


async def test_many_replicas_fire_many_schedules_once(world: World) -> None:
    libraries = [UUID(int=n) for n in range(20)]
    await world.define(*(defined(library_id=library_id, cron="* * * * * *") for library_id in libraries))
    clocks = [await world.ticker() for _ in range(3)]
    world.time = NOON + seconds(1)
    for clock in clocks:
        await clock.measure()
    await becomes(world.fired, [NOON + seconds(1)] * 20)
    end = await world.log.last_position()
    await becomes(lambda: [index.position for index in world.indexes], [end] * 3)
    assert await world.fired() == [NOON + seconds(1)] * 20


async def test_an_expression_that_cannot_be_scheduled_stops_nobody_else(world: World) -> None:
    broken, sound = UUID(int=1), UUID(int=2)
    await world.define(defined(library_id=broken, cron="never"), defined(library_id=sound, cron="* * * * * *"))
    clock = await world.ticker()
    world.time = NOON + seconds(1)
    await clock.measure()
    await becomes(world.fired, [NOON + seconds(1)])


async def test_what_another_replica_is_to_fire_is_left_to_it_for_four_seconds(world: World) -> None:
    await world.define(defined(cron="0 * * * * *"))
    clock = await world.ticker(holds=lambda: False)
    for later in (60, 63.9):
        world.time = NOON + seconds(later)
        world.asked.clear()
        await clock.measure()
        await becomes(lambda: bool(world.asked), expected=True)
        assert await world.fired() == []
    world.time = NOON + seconds(64)
    await clock.measure()
    await becomes(world.fired, [NOON + seconds(60)])


async def test_a_lease_that_is_taken_fires_what_its_holder_left(world: World) -> None:
    holding: list[bool] = []
    await world.define(defined(cron="0 * * * * *"))
    clock = await world.ticker(holds=lambda: bool(holding))
    world.time = NOON + seconds(61)
    await clock.measure()
    await becomes(lambda: bool(world.asked), expected=True)
    assert await world.fired() == []
    holding.append(True)
    await becomes(world.fired, [NOON + seconds(60)])


def ruled(**rules: Any) -> ScheduleDefined:
    return replace(defined(cron="*/10 * * * * *"), rules=Rules(**rules))


def started(job_id: UUID) -> JobStarted:
    return JobStarted(job_id=job_id, attempt=1, worker="w", lease=UUID(int=1), at=NOON, deadline=NOON + seconds(60))


async def test_what_is_buffered_waits_for_what_is_open(world: World) -> None:
    await world.define(ruled(overlap="buffer_one"))
    await world.says(scan_requested(), started(JOB_ID))
    clock = await world.ticker()
    for second in (10, 20):
        world.time = NOON + seconds(second)
        await clock.measure()
        await becomes(world.cursor, NOON + seconds(second))
    fired, skipped = (await world.told())[1:]
    assert isinstance(fired, TickFired)
    assert isinstance(skipped, TicksSkipped)
    assert (fired.behind, skipped.reason, skipped.busy) == (JOB_ID, "overlap", JOB_ID)
    request = (await world.jobs())[-1]
    assert isinstance(request, ScanRequested)
    assert (request.job_id, request.waits, request.not_before) == (fired.job_id, True, None)
    assert [index.has_turn(request.job_id) for index in world.indexes] == [False]


@pytest.mark.parametrize(("overlap", "later_s"), [("cancel_other", 10), ("terminate_other", None)])
async def test_what_is_open_is_cancelled_in_the_same_append(world: World, overlap: str, later_s: int | None) -> None:
    await world.define(ruled(overlap=overlap))
    await world.says(scan_requested(), started(JOB_ID))
    clock = await world.ticker()
    world.time = NOON + seconds(10)
    await clock.measure()
    await becomes(world.fired, [NOON + seconds(10)])
    cancelled, request = (await world.jobs())[2:]
    assert isinstance(cancelled, JobCancelled)
    assert isinstance(request, ScanRequested)
    assert (cancelled.job_id, cancelled.reason) == (JOB_ID, "the schedule's next run took its place")
    due = None if later_s is None else request.requested_at + seconds(later_s)
    assert (request.waits, request.not_before) == (False, due)
    known = next(iter(world.indexes[0].jobs.values()))
    assert isinstance(known.state, Pending)
    assert known.state.due == (due or request.requested_at)


async def test_a_pause_ends_by_itself(world: World) -> None:
    await world.define(ruled())
    await world.says(SchedulePaused(schedule_id=SCHEDULE_ID, at=NOON, resume_at=NOON + seconds(25)))
    clock = await world.ticker()
    world.time = NOON + seconds(30)
    await clock.measure()
    await becomes(world.fired, [NOON + seconds(30)])
    skipped, resumed = (await world.told())[2:4]
    assert isinstance(skipped, TicksSkipped)
    assert (skipped.first, skipped.last, skipped.reason) == (NOON + seconds(10), NOON + seconds(20), "paused")
    assert isinstance(resumed, ScheduleResumed)
    assert resumed.cursor == NOON + seconds(25)


async def test_failures_in_a_row_pause_it_at_once(world: World) -> None:
    await world.define(ruled(pause_after_failures=2))
    clock = await world.ticker()
    await clock.measure()
    for number in (1, 2):
        job_id = UUID(int=number)
        failed = JobFailed(job_id=job_id, attempt=1, at=NOON, code="root_missing", message="")
        await world.says(scan_requested(job_id), started(job_id), failed)

    async def paused() -> list[str]:
        return [event.reason for event in await world.told() if isinstance(event, SchedulePaused)]

    await becomes(paused, ["2 runs in a row failed"])
    assert await world.fired() == []


async def decided_ahead(world: World, clock: PostgresClock) -> None:
    """It is 0.3 s before the first instant, and that is decided already."""
    world.time = NOON + seconds(9.7)
    await clock.measure()
    await becomes(lambda: list(world.tickers[0]._ahead), [SCHEDULE_ID])
    assert await world.fired() == []


async def test_what_is_due_soon_is_decided_ahead_as_of_its_instant(world: World) -> None:
    await world.define(ruled())
    clock = await world.ticker()
    await decided_ahead(world, clock)
    world.time = NOON + seconds(10.2)
    await clock.measure()
    await becomes(world.fired, [NOON + seconds(10)])
    assert {each.time for each in (await world.log.read(1))} == {NOON + seconds(10)}


async def test_what_was_decided_ahead_counts_for_nothing_once_a_run_is_open(world: World) -> None:
    await world.define(ruled())
    clock = await world.ticker()
    await decided_ahead(world, clock)
    await world.says(scan_requested(), started(JOB_ID))
    await becomes(lambda: list(world.indexes[0].jobs), [JOB_ID])
    world.time = NOON + seconds(10)
    await clock.measure()
    await becomes(world.cursor, NOON + seconds(10))
    assert [event.reason for event in await world.told() if isinstance(event, TicksSkipped)] == ["overlap"]
    assert await world.fired() == []


async def test_what_was_decided_ahead_counts_for_nothing_once_the_schedule_is_another(world: World) -> None:
    await world.define(ruled())
    clock = await world.ticker()
    await decided_ahead(world, clock)
    await world.says(SchedulePaused(schedule_id=SCHEDULE_ID, at=NOON))
    await becomes(lambda: list(world.tickers[0]._ahead), [])
    world.time = NOON + seconds(10)
    await clock.measure()
    await world.says(ScheduleResumed(schedule_id=SCHEDULE_ID, at=NOON + seconds(15), cursor=NOON + seconds(15)))
    world.time = NOON + seconds(20)
    await clock.measure()
    await becomes(world.fired, [NOON + seconds(20)])


async def test_what_was_decided_ahead_and_comes_late_is_decided_again(world: World) -> None:
    await world.define(ruled())
    clock = await world.ticker()
    await decided_ahead(world, clock)
    world.time = NOON + seconds(12)
    await clock.measure()
    await becomes(world.fired, [NOON + seconds(10)])
    assert [event.verdict for event in await world.told() if isinstance(event, TickFired)] == ["late"]
