"""Which attempts workers are told to stop, and why: given / when / then."""

import asyncio
from typing import cast
from uuid import UUID, uuid4

import msgspec
import pytest
from nats.aio.client import Client

from linstock import names
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Append, Origin
from linstock.messages.job import JobCancelled, JobEvent, JobTimedOut
from linstock.messages.work import Running, SignOfLife, StopAttempt
from services.scheduler.index import Index
from services.scheduler.stops import Stops
from tests.support.jobs import MINE, OTHER, at, retry, snoozed, started, succeeded
from tests.support.schedules import JOB, NOON, job_requested
from tests.support.waiting import becomes

LOST = retry(1, 7, 7, "lease_lost")
CANCELLED = JobCancelled(job_id=JOB, attempt=1, at=at(5), reason="enough")
TIMED_OUT = JobTimedOut(job_id=JOB, attempt=1, at=at(60))


class Wire:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.said: list[tuple[str, UUID, str]] = []

    async def publish(self, subject: str, data: bytes) -> None:
        stop = msgspec.json.decode(data, type=StopAttempt)
        self.said.append((subject, stop.lease, stop.why))


class World:
    """A scheduler's log and index, which hears of the log only when it is told to."""

    def __init__(self) -> None:
        self._log, self._index, self._wire = MemoryLog("scheduler"), Index(), Wire()
        self._stops = Stops(cast("Client", self._wire), self._index, self._log)

    async def given(self, *history: JobEvent) -> "World":
        await self.says(*history)
        await self.catches_up()
        await self._stops.start()
        return self

    async def says(self, *events: JobEvent) -> None:
        """As another replica."""
        origin = Origin(workspace="default", actor="test", at=NOON, correlation_id=uuid4())
        version = len(await self._log.load(JOB))
        append = Append(aggregate="job", aggregate_id=JOB, expected_version=version, events=events)
        await self._log.append([append], origin)

    async def catches_up(self) -> None:
        for recorded in await self._log.read(self._index.position):
            self._index.apply(recorded)

    async def hears(self, lease: UUID = MINE, *, times: int = 1) -> None:
        running = Running(job_id=JOB, attempt=1, lease=lease)
        sign = SignOfLife(worker="w1", queues=("default",), slots=1, running=(running,))
        for _ in range(times):
            self._stops.hear(sign)

    def heard_by_the_worker(self) -> set[tuple[str, UUID, str]]:
        """Twice is once."""
        return set(self._wire.said)

    async def said(self) -> list[tuple[str, UUID, str]]:
        """When nothing more is on its way."""
        await self._stops.stop()
        return self._wire.said


def told(why: str, lease: UUID = MINE) -> list[tuple[str, UUID, str]]:
    return [(names.stop_subject("w1"), lease, why)]


@pytest.mark.parametrize(
    ("event", "why"), [(CANCELLED, "cancelled"), (TIMED_OUT, "timed_out"), (LOST, "lost"), (started(2, OTHER), "lost")]
)
async def test_an_attempt_that_ends_without_its_worker_is_to_stop(event: JobEvent, why: str) -> None:
    world = await World().given(job_requested(), started())
    await world.says(event)
    await world.catches_up()
    assert await world.said() == told(why)


@pytest.mark.parametrize("event", [succeeded(), retry(1, 15, 5), snoozed()])
async def test_who_has_said_itself_how_it_ended_is_told_nothing(event: JobEvent) -> None:
    world = await World().given(job_requested(), started())
    await world.says(event)
    await world.catches_up()
    assert await world.said() == []


async def test_who_goes_on_with_what_is_over_is_told_with_its_second_sign() -> None:
    world = await World().given(job_requested(), started(), LOST)
    await world.hears()
    assert await world.said() == []
    await world.hears()
    await becomes(world.said, told("lost"))


async def test_an_attempt_that_runs_goes_on() -> None:
    world = await World().given(job_requested(), started())
    await world.hears(times=5)
    assert await world.said() == []


async def test_a_scheduler_that_is_behind_stops_nobody_whatever_it_hears_meanwhile() -> None:
    """It stood still while another one granted the claim, and then hears all that was said since at once."""
    world = await World().given(job_requested())
    await world.says(started())
    await world.hears(times=5)
    await asyncio.sleep(0)
    await world.catches_up()
    assert await world.said() == []


async def test_one_that_catches_up_knows_what_is_over() -> None:
    world = await World().given(job_requested())
    await world.says(started(), LOST)
    await world.hears(times=2)
    await world.catches_up()
    await becomes(world.heard_by_the_worker, set(told("lost")))
