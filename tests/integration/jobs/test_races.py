"""Who is first wins, once, and everybody hears of it: both sides at the same moment, two schedulers, some dozens of
times each."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from nats.aio.msg import Msg

from linstock import Client, Handle, JobContext, NotAccepted, job, names
from linstock.bus.connection import close, connect
from linstock.eventlog.postgres import PostgresLog
from linstock.jobs.claims import Reporter
from linstock.messages.job import (
    JobCancelled,
    JobFailed,
    JobRequested,
    JobStarted,
    JobSucceeded,
    JobTimedOut,
)
from linstock.messages.work import Claim, ClaimAnswer, StopAttempt
from services.scheduler.app import Limits
from tests.integration.jobs import app
from tests.integration.jobs.conftest import StartWorker
from tests.support.scheduler import QUICK, Scheduler, SchedulerLog
from tests.support.waiting import becomes

TIMES = 20
SURE = 5
PATIENT = Limits(lease_timeout_s=60)
Verdict = JobSucceeded | JobFailed | JobTimedOut | JobCancelled
SHOWN: dict[type[Verdict], str] = {
    JobSucceeded: "Completed",
    JobFailed: "Failed",
    JobTimedOut: "Timeout",
    JobCancelled: "Cancelled",
}
WS = names.DEFAULT_WORKSPACE


class Hand:
    """A worker that claims what it is told to, does nothing, and hears what it is told to stop."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self.stopped: dict[UUID, str] = {}

    async def hear(self, message: Msg) -> None:
        stop = msgspec.json.decode(message.data, type=StopAttempt)
        self.stopped.setdefault(stop.job_id, stop.why)

    async def claim(self, handle: Handle) -> ClaimAnswer:
        return await self._reporter.claim(WS, Claim(job_id=handle.id, attempt=1, lease=uuid4()), every_s=5)


class World:
    """Two clients and two hands on two schedulers, and what the log says."""

    def __init__(self, clients: list[Client], hands: list[Hand], log: SchedulerLog) -> None:
        self.clients, self.hands, self.log = clients, hands, log

    async def verdicts(self, handles: list[Handle]) -> dict[UUID, str]:
        """One for each; the read models say the same."""
        found: dict[UUID, str] = {}
        for kind, shown in SHOWN.items():
            for event in await self.log.of(kind):
                assert event.job_id not in found, "a second verdict"
                found[event.job_id] = shown
        told = await self.clients[1].wait_for_all(handles, 20)
        assert {each.job_id: each.status for each in told} == {each.id: found[each.id] for each in handles}
        return found


@pytest.fixture
def limits() -> Limits:
    return PATIENT


@pytest.fixture
async def world(linstock: str, database_url: str, limits: Limits) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        second = Scheduler(linstock, database_url, limits)
        stack.push_async_callback(second.stop)
        await second.start()
        clients = [await stack.enter_async_context(Client(linstock)) for _ in range(2)]
        hands = []
        for name in ("left", "right"):
            connection = await connect(linstock, name)
            stack.push_async_callback(close, connection)
            reporter = Reporter(connection, worker=name, queue="default")
            await reporter.start()
            hands.append(Hand(reporter))
            await connection.subscribe(names.stop_subject(name), cb=hands[-1].hear)
        log = await PostgresLog.open(names.SCHEDULER, database_url)
        stack.push_async_callback(log.close)
        yield World(clients, hands, SchedulerLog(log))


async def cancelled(handle: Handle) -> bool:
    """False: it was refused, because the job had ended."""
    try:
        await handle.cancel("race")
    except NotAccepted as refused:
        if refused.code != "job-closed":
            raise
        return False
    return True


async def moment(when: datetime) -> None:
    await becomes(lambda: datetime.now(UTC) >= when, expected=True)


async def test_of_two_workers_that_claim_one_attempt_one_gets_it(world: World) -> None:
    handles = await world.clients[0].enqueue_many(app.add, [{"a": each} for each in range(TIMES)])

    async def race(handle: Handle) -> None:
        answers = await asyncio.gather(*(hand.claim(handle) for hand in world.hands))
        granted = [answer for answer in answers if answer.granted]
        assert [answer.why for answer in answers if not answer.granted] == ["taken"]
        [started] = await world.log.of(JobStarted, handle.id)
        assert [started.lease] == [answer.lease for answer in granted]

    for handle in handles:
        await race(handle)

    async def statuses() -> set[str]:
        return {(await handle.status()).status for handle in handles}

    await becomes(statuses, {"Running"})


async def test_a_job_that_is_cancelled_while_it_completes_ends_as_both_sides_are_told(
    world: World, start_worker: StartWorker
) -> None:
    gates: dict[UUID, asyncio.Event] = {}
    ended = set[UUID]()

    @job(name="gated", retries=0)
    async def gated(context: JobContext) -> None:
        gates[context.job_id] = asyncio.Event()
        try:
            await gates[context.job_id].wait()
        finally:
            ended.add(context.job_id)

    await start_worker(gated, concurrency=TIMES)
    handles = await world.clients[0].enqueue_many(gated, [{}] * TIMES)
    await becomes(lambda: len(gates), TIMES)

    async def race(place: int) -> bool:
        """The cancel gets a head start of 0 to 12 ms: about as long as it takes."""
        begun = datetime.now(UTC)
        cancelling = asyncio.create_task(cancelled(handles[place]))
        await moment(begun + timedelta(milliseconds=place % 5 * 3))
        gates[handles[place].id].set()
        return await cancelling

    said = [each for at in range(0, TIMES, 5) for each in await asyncio.gather(*map(race, range(at, at + 5)))]
    verdicts = await world.verdicts(handles)
    assert [verdicts[handle.id] for handle in handles] == ["Cancelled" if each else "Completed" for each in said]
    await becomes(lambda: ended, set(gates))


async def test_a_failed_job_that_two_want_done_again_is_done_again_once(
    world: World, start_worker: StartWorker
) -> None:
    runs: Counter[int] = Counter()

    @job(name="twice", retries=0)
    async def twice(number: int) -> None:
        runs[number] += 1
        raise ValueError("as told")

    await start_worker(twice, concurrency=TIMES)
    handles = await world.clients[0].enqueue_many(twice, [{"number": each} for each in range(TIMES)])
    await world.clients[0].wait_for_all(handles, 20)

    async def race(handle: Handle) -> Handle:
        first, second = await asyncio.gather(*(client.retry(handle.id) for client in world.clients))
        assert first.id == second.id == names.retry_of(handle.id)
        return first

    again = await asyncio.gather(*map(race, handles))
    told = await world.clients[1].wait_for_all(again, 20)
    assert {each.status for each in told} == {"Failed"}
    assert set(runs.values()) == {2}
    requested = [event for event in await world.log.of(JobRequested) if event.retry_of]
    assert sorted(event.job_id for event in requested) == sorted(each.id for each in again)


async def cancelled_about(world: World, handles: list[Handle], moments: list[datetime], kind: type) -> list[bool]:
    """Whether each cancel came before the verdict of that kind. A few come long before, and a few surely after."""

    async def race(place: int) -> bool:
        if place >= SURE:
            await moment(moments[place] + timedelta(milliseconds=20 * (place - SURE) - 200))
        return await cancelled(handles[place])

    said = list(await asyncio.gather(*map(race, range(TIMES - SURE))))
    for handle in handles[TIMES - SURE :]:
        await world.log.wait_for(kind, aggregate_id=handle.id)
        said.append(await cancelled(handle))
    return said


async def test_a_job_that_is_cancelled_while_its_time_runs_out_ends_as_both_sides_are_told(world: World) -> None:
    left = world.hands[0]
    handles = await world.clients[0].enqueue_many(app.add.using(timeout=1), [{"a": each} for each in range(TIMES)])
    answers = await asyncio.gather(*map(left.claim, handles))
    deadlines = [answer.deadline for answer in answers if answer.deadline]
    said = await cancelled_about(world, handles, deadlines, JobTimedOut)
    await agree(world, handles, said, otherwise="Timeout", why="timed_out")


@pytest.mark.parametrize("limits", [QUICK])
async def test_a_job_that_is_cancelled_while_its_lease_lapses_ends_as_both_sides_are_told(world: World) -> None:
    left = world.hands[0]
    handles = await world.clients[0].enqueue_many(app.add.using(retries=0), [{"a": each} for each in range(TIMES)])
    await asyncio.gather(*map(left.claim, handles))
    lapses = datetime.now(UTC) + timedelta(seconds=QUICK.lease_timeout_s)
    said = await cancelled_about(world, handles, [lapses] * TIMES, JobFailed)
    await agree(world, handles, said, otherwise="Failed", why="lost")


async def agree(world: World, handles: list[Handle], said: list[bool], *, otherwise: str, why: str) -> None:
    """Who cancelled, who asks how it stands, and the worker: all were told the same."""
    verdicts = await world.verdicts(handles)
    assert [verdicts[handle.id] for handle in handles] == ["Cancelled" if each else otherwise for each in said]
    assert (said[0], said[-1]) == (True, False)
    told = {handle.id: "cancelled" if each else why for handle, each in zip(handles, said, strict=True)}
    await becomes(lambda: world.hands[0].stopped, told)
