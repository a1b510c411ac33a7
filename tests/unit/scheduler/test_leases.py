"""Attempts that run while Postgres's clock is set: an hour of work is an hour of work."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from nats.aio.client import Client

from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Append, Origin
from linstock.messages.job import JobStarted
from services.scheduler.clock import PostgresClock
from services.scheduler.index import Index
from services.scheduler.leases import LeaseWatch
from services.scheduler.signs import Signs
from services.scheduler.verdicts import Verdicts
from tests.support.schedules import JOB, NOON, scan_requested, seconds

HOUR_S = 3600.0
TIMEOUT_S = 60


class Connected(Client):
    """To nobody; it only says so."""

    @property
    def is_connected(self) -> bool:
        return True


class World:
    """One attempt of a minute, and both clocks in the test's hand."""

    def __init__(self) -> None:
        self.monotonic_s = 0.0
        self.set_by_s = 0.0
        self.log = MemoryLog("scheduler")
        self.index = Index()
        self.clock = PostgresClock(self.read, monotonic=lambda: self.monotonic_s, stale_after_s=2 * HOUR_S)
        self.watch = LeaseWatch(
            Connected(),
            self.index,
            self.clock,
            Verdicts(self.log, self.index),
            Signs(timeout_s=HOUR_S),
            drained=self.drained,
            on_sign=lambda _: None,
            timeout_s=HOUR_S,
        )

    async def read(self) -> datetime:
        return NOON + seconds(self.monotonic_s + self.set_by_s)

    async def drained(self) -> bool:
        return True

    async def step(self, by_s: float) -> None:
        self.set_by_s += by_s
        await self.clock.measure()

    async def claimed(self) -> None:
        at = self.clock.require()
        started = JobStarted(
            job_id=JOB, attempt=1, worker="w", lease=UUID(int=1), at=at, deadline=at + timedelta(seconds=TIMEOUT_S)
        )
        events = [scan_requested(at=at), started]
        append = Append(aggregate="job", aggregate_id=JOB, expected_version=0, events=events)
        await self.log.append([append], Origin(workspace="default", actor="w", at=at, correlation_id=uuid4()))
        for recorded in await self.log.read(0):
            self.index.apply(recorded)

    async def runs_on(self, after_s: float) -> bool:
        """Whether the attempt is still the running one, so much work later."""
        self.monotonic_s += after_s
        await self.clock.measure()
        await self.watch.look()
        return [recorded.type for recorded in await self.log.read(0)][2:] == []


@pytest.fixture
async def world() -> World:
    made = World()
    await made.clock.measure()
    return made


async def test_an_attempt_ends_at_its_deadline(world: World) -> None:
    await world.claimed()
    assert await world.runs_on(TIMEOUT_S - 1)
    assert not await world.runs_on(2)


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
async def test_a_clock_set_before_anybody_looked_neither_ends_nor_lengthens_it(world: World, by_s: float) -> None:
    await world.claimed()
    await world.step(by_s)
    assert await world.runs_on(TIMEOUT_S - 1)
    assert not await world.runs_on(2)


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
async def test_a_clock_set_before_it_began_counts_for_nothing(world: World, by_s: float) -> None:
    await world.watch.look()
    await world.step(by_s)
    await world.claimed()
    assert await world.runs_on(TIMEOUT_S - 1)
    assert not await world.runs_on(2)
