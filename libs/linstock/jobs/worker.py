"""A worker: takes an order from WORK, claims it, runs it under a lease, reports how it ended.

The order is acked when the claim is answered. From then on only the lease re-runs the job, never JetStream.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID, uuid4

import msgspec
import nats.errors
import structlog
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import APIError

from linstock import names
from linstock.bus import dead_letters
from linstock.bus.connection import close, connect
from linstock.cancellation import cancel
from linstock.jobs.claims import NotAnswered, Reporter
from linstock.jobs.signs_of_life import SignsOfLife
from linstock.messages.job import JobRequest
from linstock.messages.work import Claim, Outcome, Running

logger = structlog.get_logger(__name__)

LONG_POLL_S = 2.0  # as in bus.broker: a server that is started again forgot what was asked before
STOP_WITHIN_S = 5.0


class Order(Struct, frozen=True, kw_only=True):
    """A copy of the job's request, and which attempt of it is wanted."""

    request: JobRequest
    attempt: int
    workspace: str
    event_id: UUID  # ce-id of the request
    correlation_id: UUID
    traceparent: str | None


class Lease:
    """The right to run one attempt. `lost` is set when the worker stops: end soon, and change nothing more."""

    def __init__(self, lease: UUID, worker: str, deadline: datetime | None) -> None:
        self.lease = lease
        self.worker = worker
        self.deadline = deadline
        self.lost = asyncio.Event()


class Device(Struct, frozen=True):
    """What an order would work on, and how many may at once there. An empty name: it does not matter."""

    name: str = ""
    limit: int = 0


async def no_device(order: Order) -> Device:
    del order
    return Device()


class OwnVerdict(Struct, frozen=True):
    """Returned by a handler whose verdict is an event of its own service; nothing is reported then."""


class Worker:
    """Runs up to `slots` orders of one queue at once.

    `run` returns the job's result (JSON) or OwnVerdict; an exception is a failure that may be retried. Guarantees: no
    attempt runs without a granted claim, and its sign of life goes out every 2 s while it runs. It may still be run
    twice, when the lease is lost while it runs. `device_of` must answer within a few seconds: the order waits for it.
    """

    def __init__(
        self,
        nats_url: str,
        *,
        queue: str,
        slots: int,
        run: Callable[[Order, Lease], Awaitable[msgspec.Raw | OwnVerdict]],
        device_of: Callable[[Order], Awaitable[Device]] = no_device,
        worker_id: str | None = None,
        sign_every_s: float = 2.0,
    ) -> None:
        self.worker_id = worker_id or f"{queue}-{_host_token()}-{os.getpid()}-{uuid4().hex[:6]}"
        self._nats_url = nats_url
        self._queue = queue
        self._run = run
        self._device_of = device_of
        self._free = asyncio.Semaphore(slots)
        self._slots = slots
        self._leases: dict[tuple[UUID, int], Lease] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._taking: asyncio.Task[None] | None = None
        self._client: Client | None = None
        self._life = SignsOfLife(nats_url, worker=self.worker_id, queues=(queue,), slots=slots, every_s=sign_every_s)
        self._decoder: msgspec.json.Decoder[JobRequest] = msgspec.json.Decoder(JobRequest)

    @property
    def running(self) -> int:
        return len(self._leases)

    async def start(self) -> None:
        self._client = await connect(self._nats_url, self.worker_id)
        self._reporter = Reporter(self._client, worker=self.worker_id, queue=self._queue)
        await self._reporter.start()
        self._life.start()
        self._taking = asyncio.create_task(self._take())

    async def stop(self) -> None:
        """Takes no more orders, gives what runs 5 s to end, then cancels it; its lease lapses and it is run again."""
        self._life.leave()
        if self._taking:
            await cancel(self._taking)
            self._taking = None
        for lease in self._leases.values():
            lease.lost.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_WITHIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._client:
            await asyncio.to_thread(self._life.stop)
            await close(self._client)
            self._client = None

    async def _take(self) -> None:
        assert self._client
        js = self._client.jetstream()
        subscription: JetStreamContext.PullSubscription | None = None
        while True:
            await self._free.acquire()
            messages: list[Msg] = []
            try:
                if subscription is None:
                    subscription = await js.pull_subscribe_bind(
                        durable=names.work_durable(self._queue), stream=names.WORK
                    )
                messages = await subscription.fetch(1, timeout=LONG_POLL_S)
            except TimeoutError:
                pass
            except (nats.errors.Error, APIError, OSError) as error:
                logger.warning("Orders can't be fetched", error=str(error) or type(error).__name__)
                await asyncio.sleep(1)
            finally:
                if not messages:
                    self._free.release()
            for message in messages:
                task = asyncio.create_task(self._serve(message))
                self._tasks.add(task)
                task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._free.release()
        if not task.cancelled() and (error := task.exception()):
            logger.error("An order could not be served", error=repr(error))

    async def _serve(self, message: Msg) -> None:
        try:
            order = self._read(message)
        except (ValueError, KeyError, msgspec.DecodeError) as error:
            await self._bury(message, f"{type(error).__name__}: {error}")
            return
        device = await self._device_of(order)
        claim = Claim(
            job_id=order.request.job_id,
            attempt=order.attempt,
            lease=uuid4(),
            device=device.name,
            device_limit=device.limit,
        )
        try:
            answer = await self._reporter.claim(order.workspace, claim)
        except NotAnswered:
            await message.nak(delay=1)
            return
        await message.ack()
        if not answer.granted:
            logger.debug("Claim refused", job_id=str(claim.job_id), attempt=claim.attempt, why=answer.why)
            return
        await self._run_leased(order, Lease(claim.lease, self.worker_id, answer.deadline))

    async def _run_leased(self, order: Order, lease: Lease) -> None:
        job_id = order.request.job_id
        self._leases[job_id, order.attempt] = lease
        self._life.add(Running(job_id=job_id, attempt=order.attempt, lease=lease.lease))
        try:
            outcome = await self._outcome(order, lease)
            if outcome and not lease.lost.is_set():
                await self._reporter.report(order.workspace, outcome)
        finally:
            del self._leases[job_id, order.attempt]
            self._life.remove(lease.lease)

    async def _outcome(self, order: Order, lease: Lease) -> Outcome | None:
        job_id, attempt = order.request.job_id, order.attempt
        try:
            result = await self._run(order, lease)
        except Exception as error:
            logger.exception("Job failed", job_id=str(job_id), attempt=attempt)
            return Outcome(
                job_id=job_id,
                attempt=attempt,
                lease=lease.lease,
                succeeded=False,
                code=type(error).__name__,
                message=str(error)[:2000],
            )
        if isinstance(result, OwnVerdict):
            return None
        return Outcome(job_id=job_id, attempt=attempt, lease=lease.lease, succeeded=True, result=result)

    def _read(self, message: Msg) -> Order:
        headers = message.headers or {}
        correlation = headers.get("ce-correlationid") or headers["ce-id"]
        return Order(
            request=self._decoder.decode(message.data),
            attempt=int(headers["ls-attempt"]),
            workspace=headers["ce-workspace"],
            event_id=UUID(headers["ce-id"]),
            correlation_id=UUID(correlation),
            traceparent=headers.get("traceparent"),
        )

    async def _bury(self, message: Msg, reason: str) -> None:
        assert self._client
        logger.error("An order can't be read, it goes to the DLQ", subject=message.subject, reason=reason)
        await self._client.jetstream().publish(
            names.dlq_subject(names.work_durable(self._queue), dead_letters.UNREADABLE),
            message.data,
            stream=names.DLQ,
            headers=dead_letters.headers_for(message.subject, dict(message.headers or {}), reason),
        )
        await message.term()


def _host_token() -> str:
    """The host's name as one subject token."""
    return "".join(c if c.isalnum() or c == "-" else "-" for c in socket.gethostname())[:40] or "host"
