"""Takes orders from WORK, claims them, runs them under a lease, reports how they ended.

The order is acked when the claim is answered. From then on only the lease re-runs the job, never JetStream.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from uuid import UUID, uuid4

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import APIError

from linstock import names
from linstock.bus import dead_letters
from linstock.bus.connection import close, connect
from linstock.bus.pull import Pull, Silent
from linstock.cancellation import cancel
from linstock.jobs.claims import NotAnswered, Reporter
from linstock.jobs.orders import STOPPED, Device, Failed, Lease, Order, OwnVerdict, Run, Snoozed, Taken, no_device, read
from linstock.jobs.pace import Pace
from linstock.jobs.signs_of_life import SignsOfLife
from linstock.logs import get_logger
from linstock.messages.work import Claim, Outcome, Running, StopAttempt

logger = get_logger(__name__)

STOP_WITHIN_S = 5.0
AGAIN_S = 0.2
TAKEN_AT_ONCE = 200
ASKED_AT_ONCE = 8  # messages of a queue; one may bring a quarter of a worker's room
HELD_S = 1.0  # an order that came although there is no room; then another worker may have it
MESSAGE_LIMIT = 2000  # characters


class OrderRunner:
    """Runs up to `slots` orders at once, from `queues` of a workspace (empty: of all, which only built-in queues have).

    `run` returns the job's result (JSON), Snoozed or OwnVerdict; an exception is a failure that may be retried.
    Guarantees: no attempt runs without a granted claim, and its sign of life goes out every 2 s while it runs. It may
    still be run twice, when the lease is lost while it runs. `device_of` must answer within a few seconds: the order
    waits for it. With `hands_back`, what does not end when the worker stops is given back at once; else its lease
    lapses. `pace` may claim a little ahead of free slots; with `hands_back`, what finds none soon is given back too.
    """

    def __init__(
        self,
        nats_url: str,
        *,
        queues: Sequence[str],
        slots: int,
        run: Run,
        workspace: str = "",
        weights: Sequence[int] = (),
        device_of: Callable[[Order], Awaitable[Device]] = no_device,
        worker_id: str | None = None,
        sign_every_s: float = 2.0,
        hands_back: bool = False,
        stop_within_s: float = STOP_WITHIN_S,
        pace: Pace | None = None,
    ) -> None:
        self.worker_id = worker_id or f"{queues[0]}-{_host_token()}-{os.getpid()}-{uuid4().hex[:6]}"
        self._nats_url = nats_url
        self._queues = tuple(queues)
        self._workspace = workspace
        self._run = run
        self._device_of = device_of
        self._hands_back = hands_back
        self._stop_within_s = stop_within_s
        self._pace = pace or Pace(slots, most_ahead=0)
        self._room = slots  # how many more orders may be taken
        self._slots = asyncio.Semaphore(slots)
        self._held: deque[tuple[float, Msg, str]] = deque()
        self._pulls: dict[str, Pull] = {}
        self._leases: dict[tuple[UUID, int], Lease] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._taking: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._client: Client | None = None
        self._life = SignsOfLife(
            nats_url,
            worker=self.worker_id,
            queues=self._queues,
            slots=slots,
            every_s=sign_every_s,
            workspace=workspace,
            weights=tuple(weights),
        )

    @property
    def running(self) -> int:
        return len(self._leases)

    @property
    def reporter(self) -> Reporter:
        return self._reporter

    async def start(self) -> None:
        self._client = await connect(self._nats_url, self.worker_id)
        self._reporter = Reporter(self._client, worker=self.worker_id, queue=self._queues[0])
        await self._reporter.start()
        await self._client.subscribe(names.stop_subject(self.worker_id), cb=self._on_stop)
        self._life.start()
        self._taking = [asyncio.create_task(self._take(queue)) for queue in self._queues]
        self._taking.append(asyncio.create_task(self._make_room()))

    async def stop(self) -> None:
        """Takes no more orders, gives what runs `stop_within_s` to end, then cancels it."""
        self._life.leave()
        for task in self._taking:
            await cancel(task)
        self._taking = []
        for pull in self._pulls.values():
            await pull.close()
        while self._held:
            with contextlib.suppress(nats.errors.Error):
                await self._held.popleft()[1].nak()
        for lease in self._leases.values():
            lease.end(STOPPED)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._stop_within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._client:
            await asyncio.to_thread(self._life.stop)
            await close(self._client)
            self._client = None

    async def _on_stop(self, message: Msg) -> None:
        try:
            stop = msgspec.json.decode(message.data, type=StopAttempt)
        except msgspec.DecodeError:
            return
        lease = self._leases.get((stop.job_id, stop.attempt))
        if lease and lease.lease == stop.lease:
            lease.end(stop.why)

    async def _take(self, queue: str) -> None:
        """Orders of one queue, as long as there is room."""
        assert self._client
        durable = names.work_durable(queue, self._workspace)
        said = False
        while True:
            pull = Pull(self._client, stream=names.WORK, consumer=durable, ahead=self._wanted(), refills=False)
            try:
                await pull.open()
                self._pulls[queue] = pull
                while True:
                    for message in await pull.take(TAKEN_AT_ONCE):
                        self._accept(message, queue)
                    said = False
            except (Silent, nats.errors.Error, APIError, TimeoutError, OSError) as error:
                if not said:  # a queue that is new is made when its worker is first heard of
                    logger.info("No orders can be taken yet", queue=queue, reason=str(error) or type(error).__name__)
                    said = True
                self._life.nudge()
                await asyncio.sleep(AGAIN_S)
            finally:
                self._pulls.pop(queue, None)
                await pull.close()

    def _accept(self, message: Msg, queue: str) -> None:
        if self._room <= 0:
            self._held.append((time.monotonic() + HELD_S, message, queue))
            self._wake.set()
            return
        try:
            orders = read(message)
        except (ValueError, KeyError, msgspec.DecodeError) as error:
            self._start(self._bury(message, queue, f"{type(error).__name__}: {error}"))
            return
        taken = Taken(message, len(orders))
        for order in orders:
            self._start(self._serve(order, taken))

    def _wanted(self) -> int:
        return min(max(self._room, 0), ASKED_AT_ONCE)

    def _start(self, serving: Coroutine[None, None, None]) -> None:
        self._room -= 1
        self._wake.set()
        task = asyncio.create_task(serving)
        self._tasks.add(task)
        task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._room += 1
        self._wake.set()
        if not task.cancelled() and (error := task.exception()):
            logger.error("An order could not be served", error=repr(error))

    async def _make_room(self) -> None:
        """Asks for as many orders as there is room for. What came for more than that waits for a moment."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HELD_S if self._held else None):
                    await self._wake.wait()
            self._wake.clear()
            self._room += self._pace.widened()
            self._life.announce(self._pace.ahead)
            while self._held and self._room > 0:
                _, message, queue = self._held.popleft()
                self._accept(message, queue)
            try:
                while self._held and self._held[0][0] <= time.monotonic():
                    await self._held.popleft()[1].nak()
                for pull in list(self._pulls.values()):
                    await pull.want(self._wanted())
            except (nats.errors.Error, OSError) as error:
                logger.debug("Room for orders could not be told", error=repr(error))

    async def _serve(self, order: Order, taken: Taken) -> None:
        device = await self._device_of(order)
        claim = Claim(
            job_id=order.request.job_id,
            attempt=order.attempt,
            lease=uuid4(),
            device=device.name,
            device_limit=device.limit,
        )
        asked_s = time.monotonic()
        try:
            answer = await self._reporter.claim(order.workspace, claim)
        except NotAnswered:
            await taken.done(answered=False)
            return
        self._pace.claimed(time.monotonic() - asked_s)
        await taken.done(answered=True)
        if not answer.granted:
            logger.debug("Claim refused", job_id=str(claim.job_id), attempt=claim.attempt, why=answer.why)
            return
        await self._run_leased(order, Lease(claim.lease, self.worker_id, answer.deadline, answer.checkpoint))

    async def _run_leased(self, order: Order, lease: Lease) -> None:
        job_id = order.request.job_id
        self._leases[job_id, order.attempt] = lease
        self._life.add(Running(job_id=job_id, attempt=order.attempt, lease=lease.lease))
        try:
            outcome = await self._in_a_slot(order, lease)
            if outcome and (not lease.lost.is_set() or self._still_counts(lease)):
                await self._reporter.report(order.workspace, outcome)
        finally:
            del self._leases[job_id, order.attempt]
            self._life.remove(lease.lease)

    async def _in_a_slot(self, order: Order, lease: Lease) -> Outcome | None:
        # What waits behind long jobs must not stay here until its time is over: another worker may be idle.
        patience_s = self._pace.patience_s if self._hands_back and self._slots.locked() else None
        try:
            async with asyncio.timeout(patience_s):
                await self._slots.acquire()
        except TimeoutError:
            self._pace.waited_in_vain(patience_s or 0.0)
            return self._unstarted(order, lease, f"worker {self.worker_id} has no slot for it")
        try:
            if lease.lost.is_set():
                return self._unstarted(order, lease, f"worker {self.worker_id} was stopped")
            began_s = time.monotonic()
            outcome = await self._outcome(order, lease)
            self._pace.ran(time.monotonic() - began_s)
            return outcome
        finally:
            self._slots.release()

    def _still_counts(self, lease: Lease) -> bool:
        return self._hands_back and lease.why == STOPPED

    def _unstarted(self, order: Order, lease: Lease, why: str) -> Outcome:
        """It was claimed a little ahead, and is given back."""
        job_id = order.request.job_id
        return Outcome(
            job_id=job_id, attempt=order.attempt, lease=lease.lease, succeeded=False, snooze_s=0, message=why
        )

    async def _outcome(self, order: Order, lease: Lease) -> Outcome | None:
        ended = partial(Outcome, job_id=order.request.job_id, attempt=order.attempt, lease=lease.lease)
        try:
            result = await self._run(order, lease)
        except asyncio.CancelledError:
            if not self._still_counts(lease):
                raise
            return ended(succeeded=False, snooze_s=0, message=f"worker {self.worker_id} was stopped")
        except Failed as failed:
            return ended(
                succeeded=False, code=failed.code, message=failed.message, kinds=failed.kinds, final=failed.final
            )
        except Exception as error:
            logger.exception("Job failed", job_id=str(order.request.job_id), attempt=order.attempt)
            return ended(succeeded=False, code=type(error).__name__, message=str(error)[:MESSAGE_LIMIT])
        match result:
            case OwnVerdict():
                return None
            case Snoozed(for_s=for_s, reason=reason):
                return ended(succeeded=False, snooze_s=for_s, message=reason)
            case _:
                return ended(succeeded=True, result=result)

    async def _bury(self, message: Msg, queue: str, reason: str) -> None:
        assert self._client
        logger.error("An order can't be read, it goes to the DLQ", subject=message.subject, reason=reason)
        await self._client.jetstream().publish(
            names.dlq_subject(names.work_durable(queue, self._workspace), dead_letters.UNREADABLE),
            message.data,
            stream=names.DLQ,
            headers=dead_letters.headers_for(message.subject, dict(message.headers or {}), reason),
        )
        await message.term()


def _host_token() -> str:
    """The host's name as one subject token."""
    return "".join(c if c.isalnum() or c == "-" else "-" for c in socket.gethostname())[:40] or "host"
