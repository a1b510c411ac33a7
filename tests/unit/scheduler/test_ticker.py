"""The ticker against a log in memory and a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from linstock import names
from linstock.disk import GIB, Disk, Space
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Append, FutureInstant, Origin, Recorded, VersionConflict
from linstock.messages.job import ScanRequested
from linstock.messages.schedule import ScheduleDefined, TickFired
from services.scheduler.clock import PostgresClock
from services.scheduler.index import Index
from services.scheduler.known import JOB, SCHEDULE
from services.scheduler.ticker import Ticker
from tests.support.schedules import NOON, defined, seconds
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
        await ticker.start()
        return clock

    async def fired(self) -> list[datetime]:
        ticks = [SCHEDULE.decode(each.data) for each in await self.log.read(0) if each.type.endswith("tick_fired.v1")]
        return [tick.instant for tick in ticks if isinstance(tick, TickFired)]

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
