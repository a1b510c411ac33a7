"""The worker's side of orders and claims, against a scheduler that the test plays."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID, uuid4

import msgspec
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from linstock import names
from linstock.bus.connection import close, connect
from linstock.bus.provision import provision
from linstock.embedded import EmbeddedNats
from linstock.jobs.order_runner import OrderRunner
from linstock.jobs.orders import Lease, Order, OwnVerdict
from linstock.jobs.pace import Pace
from linstock.messages.job import JobRequested
from linstock.messages.schedule import JobPolicy
from linstock.messages.work import Claim, ClaimAnswer, ClaimAnswers, Outcome, Report, SignOfLife
from tests.support.waiting import becomes

AT = datetime(2026, 1, 1, tzinfo=UTC)
WS = names.DEFAULT_WORKSPACE

Run = Callable[[Order, Lease], Awaitable[msgspec.Raw | OwnVerdict]]


class StartWorker(Protocol):
    async def __call__(
        self, run: Run, *, slots: int = 2, hands_back: bool = False, pace: Pace | None = None
    ) -> OrderRunner: ...


class Scheduler:
    """Puts orders, answers claims as told, keeps what it hears."""

    def __init__(self, client: Client) -> None:
        self._js = client.jetstream()
        self._client = client
        self.grant: Callable[[Claim], bool] = lambda _: True
        self.claims: list[Claim] = []
        self.outcomes: list[Outcome] = []
        self.signs: list[SignOfLife] = []
        self.mute_claims = 0

    async def start(self) -> None:
        await self._client.subscribe(names.ALL_LIFE, cb=self._on_sign)
        await self._client.subscribe(names.ALL_CLAIMS, cb=self._on_report)
        await self._js.subscribe(names.ALL_REPORTS, stream=names.REPORTS, durable="played", cb=self._on_report)

    async def _on_sign(self, message: Msg) -> None:
        self.signs.append(msgspec.json.decode(message.data, type=SignOfLife))

    async def _on_report(self, message: Msg) -> None:
        report = msgspec.json.decode(message.data, type=Report)
        answers: list[ClaimAnswer] = []
        for item in report.items:
            if isinstance(item, Outcome):
                self.outcomes.append(item)
                continue
            assert isinstance(item, Claim)
            self.claims.append(item)
            if self.mute_claims:
                self.mute_claims -= 1
                continue
            granted = self.grant(item)
            why = "" if granted else "closed"
            answers.append(
                ClaimAnswer(job_id=item.job_id, attempt=item.attempt, lease=item.lease, granted=granted, why=why)
            )
        if answers and report.reply_to:
            await self._client.publish(report.reply_to, msgspec.json.encode(ClaimAnswers(answers=tuple(answers))))

    async def put(self, job_id: UUID, *, attempt: int = 1) -> None:
        request = JobRequested(
            job_id=job_id,
            job_type="Test",
            queue=names.SCAN_QUEUE,
            payload=msgspec.Raw(b"{}"),
            policy=JobPolicy(),
            requested_at=AT,
            triggered_by="API",
        )
        headers = {"ce-id": str(uuid4()), "ce-workspace": WS, "ls-attempt": str(attempt)}
        subject = names.work_subject(WS, names.SCAN_QUEUE, "Test")
        await self._js.publish(subject, msgspec.json.encode(request), headers=headers)

    def reconnects(self) -> int:
        return self._client.stats["reconnects"]

    async def deliveries(self) -> int:
        """Of orders, each time one was given to a worker."""
        durable = names.work_durable(names.SCAN_QUEUE)
        delivered = (await self._js.consumer_info(names.WORK, durable)).delivered
        return delivered.consumer_seq if delivered else 0

    async def orders(self) -> int:
        return (await self._js.stream_info(names.WORK)).state.messages


@pytest.fixture
async def scheduler(nats_url: str) -> AsyncIterator[Scheduler]:
    await provision(nats_url)
    client = await connect(nats_url, "scheduler")
    await client.jetstream().delete_consumer(names.REPORTS, names.REPORTS_DURABLE)  # the test takes its place
    scheduler = Scheduler(client)
    await scheduler.start()
    yield scheduler
    await close(client)


@pytest.fixture
async def work(nats_url: str) -> AsyncIterator[StartWorker]:
    started: list[OrderRunner] = []

    async def start(run: Run, *, slots: int = 2, hands_back: bool = False, pace: Pace | None = None) -> OrderRunner:
        worker = OrderRunner(
            nats_url,
            queues=(names.SCAN_QUEUE,),
            slots=slots,
            run=run,
            sign_every_s=0.05,
            hands_back=hands_back,
            pace=pace,
        )
        started.append(worker)
        await worker.start()
        return worker

    yield start
    for worker in started:
        await worker.stop()


async def succeed(_: Order, __: Lease) -> msgspec.Raw:
    return msgspec.Raw(b'{"done":true}')


async def test_an_order_is_claimed_run_and_reported_under_one_lease(scheduler: Scheduler, work: StartWorker) -> None:
    await work(succeed)
    job_id = uuid4()
    await scheduler.put(job_id)
    await becomes(lambda: len(scheduler.outcomes), 1)
    (claim,), (outcome,) = scheduler.claims, scheduler.outcomes
    assert (outcome.job_id, outcome.lease, outcome.succeeded) == (job_id, claim.lease, True)
    assert bytes(outcome.result) == b'{"done":true}'
    await becomes(scheduler.orders, 0)


async def test_nothing_runs_without_a_granted_claim_and_the_order_is_gone(
    scheduler: Scheduler, work: StartWorker
) -> None:
    ran: list[UUID] = []

    async def run(order: Order, _: Lease) -> OwnVerdict:
        ran.append(order.request.job_id)
        return OwnVerdict()

    refused, granted = uuid4(), uuid4()
    scheduler.grant = lambda claim: claim.job_id == granted
    await work(run, slots=1)
    await scheduler.put(refused)
    await scheduler.put(granted)
    await becomes(lambda: ran, [granted])
    assert [claim.job_id for claim in scheduler.claims] == [refused, granted]
    await becomes(scheduler.orders, 0)
    assert scheduler.outcomes == []


async def test_a_busy_worker_takes_no_order_that_another_has_a_slot_for(
    scheduler: Scheduler, work: StartWorker
) -> None:
    gate = asyncio.Event()

    async def run(_: Order, __: Lease) -> OwnVerdict:
        await gate.wait()
        return OwnVerdict()

    busy = await work(run, slots=1)
    await scheduler.put(uuid4())
    await becomes(lambda: busy.running, 1)
    await work(succeed)
    for _ in range(5):
        await scheduler.put(uuid4())
    await becomes(lambda: len(scheduler.outcomes), 5)
    gate.set()
    assert await scheduler.deliveries() == 6  # none to the busy one first


async def test_what_was_claimed_ahead_of_long_jobs_is_given_back(scheduler: Scheduler, work: StartWorker) -> None:
    gate = asyncio.Event()

    async def run(_: Order, __: Lease) -> OwnVerdict:
        await gate.wait()
        return OwnVerdict()

    pace = Pace(1, most_ahead=3)
    pace.claimed(0.1)
    pace.ran(0.000_1)  # so far
    worker = await work(run, slots=1, hands_back=True, pace=pace)
    jobs = [uuid4() for _ in range(4)]
    for job_id in jobs:
        await scheduler.put(job_id)
    await becomes(lambda: len(scheduler.outcomes), 3)
    given_back = {outcome.job_id for outcome in scheduler.outcomes if outcome.snooze_s == 0}
    assert len(given_back) == 3
    assert given_back < set(jobs)
    assert "no slot" in scheduler.outcomes[0].message
    await becomes(lambda: (worker.running, scheduler.signs[-1].ahead), (1, 0))
    for job_id in given_back:  # put again: with room for none, none is claimed
        await scheduler.put(job_id, attempt=2)
    said = len(scheduler.signs)
    await becomes(lambda: len(scheduler.signs) > said + 2, expected=True)
    assert len(scheduler.claims) == 4
    gate.set()
    await becomes(lambda: len(scheduler.claims), 7)


async def test_a_lost_answer_is_asked_for_again_under_the_same_lease(scheduler: Scheduler, work: StartWorker) -> None:
    scheduler.mute_claims = 1
    await work(succeed)
    await scheduler.put(uuid4())
    await becomes(lambda: len(scheduler.outcomes), 1)
    assert len(scheduler.claims) == 2
    assert len({claim.lease for claim in scheduler.claims}) == 1


async def test_a_handler_that_raises_is_a_failure_with_its_reason(scheduler: Scheduler, work: StartWorker) -> None:
    async def run(_: Order, __: Lease) -> OwnVerdict:
        raise RuntimeError("the disk is on fire")

    await work(run)
    await scheduler.put(uuid4())
    await becomes(lambda: len(scheduler.outcomes), 1)
    (outcome,) = scheduler.outcomes
    assert (outcome.succeeded, outcome.code, outcome.message) == (False, "RuntimeError", "the disk is on fire")


async def test_a_handler_that_blocks_the_loop_can_not_stop_the_signs_of_life(
    nats_url: str,
    scheduler: Scheduler,
    work: StartWorker,
) -> None:
    async def hear(lease: UUID, times: int) -> None:
        client = await connect(nats_url, "listener")
        signs = await client.subscribe(names.ALL_LIFE)
        while times:
            sign = msgspec.json.decode((await signs.next_msg(timeout=10)).data, type=SignOfLife)
            times -= any(running.lease == lease for running in sign.running)
        await close(client)

    async def run(_: Order, lease: Lease) -> OwnVerdict:
        listener = threading.Thread(target=asyncio.run, args=(hear(lease.lease, 3),))
        listener.start()
        listener.join()  # the worker's loop stands still until three signs were heard elsewhere
        return OwnVerdict()

    worker = await work(run)
    await scheduler.put(uuid4())
    await becomes(lambda: bool(scheduler.signs and scheduler.claims) and worker.running == 0, True)
    assert scheduler.signs[-1].worker == worker.worker_id
    assert scheduler.signs[-1].slots == 2


async def test_an_unreadable_order_goes_to_the_dlq(nats_url: str, scheduler: Scheduler, work: StartWorker) -> None:
    await work(succeed)
    client = await connect(nats_url, "test")
    await client.jetstream().publish(names.work_subject(WS, names.SCAN_QUEUE, "Test"), b"{", headers={"x": "y"})
    await becomes(scheduler.orders, 0)
    assert (await client.jetstream().stream_info(names.DLQ)).state.messages == 1
    await close(client)


async def test_an_idle_worker_hears_of_orders_soon_after_nats_was_started_again(
    nats_server: EmbeddedNats, scheduler: Scheduler, work: StartWorker
) -> None:
    await work(succeed)
    await scheduler.put(uuid4())
    await becomes(lambda: len(scheduler.outcomes), 1)
    nats_server.kill()
    nats_server.start()
    await becomes(scheduler.reconnects, 1)
    await scheduler.put(uuid4())
    await becomes(lambda: len(scheduler.outcomes), 2, timeout_s=8)


async def test_signs_of_life_go_on_after_nats_hung(
    nats_server: EmbeddedNats, scheduler: Scheduler, work: StartWorker, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that hangs is not disconnected: a sign that could not be flushed must not have been the last."""
    worker = await work(succeed)
    await becomes(lambda: bool(scheduler.signs), expected=True)
    assert nats_server.pid
    with caplog.at_level(logging.DEBUG, "linstock.jobs.signs_of_life"):
        os.kill(nats_server.pid, signal.SIGSTOP)
        try:
            await becomes(lambda: "did not get through" in caplog.text, expected=True)
        finally:
            os.kill(nats_server.pid, signal.SIGCONT)
        before = len(scheduler.signs)
        await becomes(lambda: len(scheduler.signs) > before + 2, expected=True)
    assert scheduler.signs[-1].worker == worker.worker_id
