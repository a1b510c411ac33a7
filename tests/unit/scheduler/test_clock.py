"""Postgres's clock between two measurements, and when nobody can measure it."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import asyncpg
import pytest

from services.scheduler.clock import ClockStale, PostgresClock
from tests.support.schedules import NOON, seconds


class World:
    """A monotonic clock that the test moves, and a Postgres whose answers take a while."""

    def __init__(self) -> None:
        self.monotonic_s = 100.0
        self.postgres_ahead = timedelta(0)
        self.there_s = 0.0
        self.back_s = 0.0
        self.machine_ahead_s = 0.0
        self.clock = PostgresClock(self.read, monotonic=lambda: self.monotonic_s, wall=self.wall_s)

    def wall_s(self) -> float:
        return NOON.timestamp() + self.monotonic_s - 100 + self.machine_ahead_s

    def postgres(self) -> datetime:
        return NOON + seconds(self.monotonic_s - 100) + self.postgres_ahead

    async def read(self) -> datetime:
        self.monotonic_s += self.there_s
        said = self.postgres()
        self.monotonic_s += self.back_s
        return said

    async def measure(self, *, there_s: float = 0.0, back_s: float = 0.0) -> None:
        self.there_s, self.back_s = there_s, back_s
        await self.clock.measure()


@pytest.fixture
def world() -> World:
    return World()


def about(expected: datetime) -> Callable[[datetime], bool]:
    return lambda found: abs(found - expected) < timedelta(microseconds=10)


async def test_it_goes_on_with_the_monotonic_clock(world: World) -> None:
    await world.measure()
    world.monotonic_s += 2.5
    assert about(NOON + seconds(2.5))(world.clock.require())


async def test_it_is_never_ahead_of_postgres_however_long_the_answer_took(world: World) -> None:
    await world.measure(there_s=0.4, back_s=0.3)
    assert world.clock.require() <= world.postgres()
    await world.measure(there_s=0.01, back_s=0.001)
    assert timedelta(0) <= world.postgres() - world.clock.require() < timedelta(milliseconds=2)
    await world.measure(there_s=0.3, back_s=0.2)  # tells us less than we know
    assert timedelta(0) <= world.postgres() - world.clock.require() < timedelta(milliseconds=2)


async def test_it_follows_a_postgres_that_was_set(world: World) -> None:
    await world.measure(there_s=0.001, back_s=0.001)
    for ahead in (seconds(3600), seconds(-3600)):
        world.postgres_ahead = ahead
        await world.measure(there_s=0.001, back_s=0.001)
        assert abs(world.postgres() - world.clock.require()) < timedelta(milliseconds=5)
        assert abs(world.clock.stepped_s - ahead.total_seconds()) < 0.01


async def test_without_a_measurement_for_three_seconds_nobody_knows_the_time(world: World) -> None:
    assert world.clock.now() is None
    await world.measure()
    world.monotonic_s += 3.0
    assert world.clock.now() is not None
    world.monotonic_s += 0.01
    assert world.clock.now() is None
    assert await world.clock.problem() is not None
    with pytest.raises(ClockStale):
        world.clock.require()
    await world.measure()
    assert await world.clock.problem() is None


async def test_a_measurement_counts_from_when_it_was_asked_for(world: World) -> None:
    await world.measure(back_s=3.5)
    assert world.clock.now() is None


async def test_it_goes_on_measuring_whatever_the_driver_raises() -> None:
    """asyncpg raises InternalClientError, which it calls no database error, when a server dies under its connecting."""
    answers: list[Exception | datetime] = [NOON, asyncpg.InternalClientError("cannot switch to state 12"), NOON]
    measured = asyncio.Event()

    async def read() -> datetime:
        answer = answers.pop(0) if answers else NOON
        if not answers:
            measured.set()
        if isinstance(answer, Exception):
            raise answer
        return answer

    clock = PostgresClock(read, every_s=0)
    await clock.start()
    try:
        async with asyncio.timeout(10):
            await measured.wait()
    finally:
        await clock.stop()


async def test_a_machine_whose_clock_is_off_by_more_than_a_second_is_not_ready(world: World) -> None:
    for ahead_s, said in (
        (0.9, None),
        (-0.9, None),
        (1.5, "this machine's clock is 1.5 s ahead of PostgreSQL's"),
        (-400, "this machine's clock is 7 min behind PostgreSQL's"),
        (86_400, "this machine's clock is 24 h ahead of PostgreSQL's"),
    ):
        world.machine_ahead_s = ahead_s
        await world.measure()
        problem = await world.clock.problem()
        assert problem is None if said is None else problem and problem.startswith(said), ahead_s
        assert about(world.postgres())(world.clock.require())


async def test_a_slow_answer_of_postgres_says_nothing_about_the_machines_clock(world: World) -> None:
    await world.measure(there_s=2, back_s=0.1)
    assert await world.clock.problem() is None
