"""Puts orders on WORK: a copy of the job's request, under the same ce-id, naming the attempt that is wanted.

WORK stays short, about what free slots can take at once, so that a job that is more urgent need not stand in line. An
order may be lost, doubled or taken by nobody: only the claim grants anything, and an order that nobody claims although
somebody could is put again.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

import msgspec
import structlog
from msgspec import Struct

from linstock import names
from linstock.bus import envelope
from linstock.cancellation import cancel
from linstock.crashpoints import reach
from linstock.disk import Disk
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Recorded
from linstock.messages.work import ORDERS_HEADER, Orders, PlacedOrder
from services.scheduler import metrics
from services.scheduler.backlog import Backlog
from services.scheduler.clock import PostgresClock
from services.scheduler.index import Index
from services.scheduler.job import Pending
from services.scheduler.shares import RESERVE, Shares
from services.scheduler.signs import Crew, Signs

logger = structlog.get_logger(__name__)

AGAIN_AFTER_S = 5.0
LONGEST_SLEEP_S = 1.0
SHORTEST_SLEEP_S = 0.005
AFTER_ERROR_S = 0.5
MOST_BUNDLED = 50  # orders in one message
MANY = "many"  # in place of a job type
LOOK_EVERY_S = 0.1  # at orders that nobody claims

New = tuple[UUID, Pending, int]
"""A job, the attempt that is wanted, and how often it is put with this order."""
Put = Callable[[str, bytes, dict[str, str]], Awaitable[None]]
"""Stores one message on WORK; an error leaves open whether it is there."""


class Placed(Struct):
    """An order that stands on WORK, as far as we know."""

    lane: str
    pending: Pending
    at_s: float
    times: int


class Dispatcher:
    """Rebuilds all it knows from the index when it starts. Any number may run: their doubles are refused as claims."""

    def __init__(
        self,
        log: EventLog,
        index: Index,
        clock: PostgresClock,
        signs: Signs,
        put: Put,
        *,
        disk: Disk | None = None,
        again_after_s: float = AGAIN_AFTER_S,
        reserve: int = RESERVE,
    ) -> None:
        self._log = log
        self._index = index
        self._clock = clock
        self._signs = signs
        self._put = put
        self._disk = disk or Disk(None)
        self._again_after_s = again_after_s
        self._shares = Shares(reserve=reserve)
        self._name = uuid4().hex
        self._backlog = Backlog()
        self._placed: dict[UUID, Placed] = {}
        self._standing: Counter[str] = Counter()  # by lane
        self._looked_s = 0.0
        self._wake = asyncio.Event()
        self._epoch: UUID | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises what Postgres raises."""
        self._epoch = await self._log.epoch()
        self._index.on_job(self._note)
        for job_id in self._index.jobs:
            self._note(job_id)
        self._task = asyncio.create_task(self._run(), name="dispatcher")

    async def stop(self) -> None:
        if self._task:
            await cancel(self._task)
            self._task = None

    def wake(self) -> None:
        """Slots may have become free."""
        self._wake.set()

    def _note(self, job_id: UUID) -> None:
        known = self._index.jobs.get(job_id)
        placed = self._placed.get(job_id)
        pending = known.state if known and isinstance(known.state, Pending) else None
        if placed and (pending is None or _another(placed.pending, pending)):
            self._unplace(job_id)
            placed = None
        if known is None or pending is None:
            self._backlog.drop(job_id)
        elif placed is None and self._index.has_turn(job_id):
            self._backlog.put(job_id, names.lane(known.workspace, pending.facts.queue), pending)
        self._wake.set()

    def _unplace(self, job_id: UUID) -> Placed | None:
        placed = self._placed.pop(job_id, None)
        if placed:
            self._standing[placed.lane] -= 1
        return placed

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._pass()
            except Exception as error:  # NATS or Postgres is away: what was not placed is still in the backlog
                logger.warning("Orders can't be placed", error=repr(error))
                await asyncio.sleep(AFTER_ERROR_S)
            try:
                async with asyncio.timeout(self._sleep_s()):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _sleep_s(self) -> float:
        now, due = self._clock.now(), self._backlog.next_due()
        if now is None or due is None:
            return LONGEST_SLEEP_S
        return min(max((due - now).total_seconds(), SHORTEST_SLEEP_S), LONGEST_SLEEP_S)

    async def _pass(self) -> None:
        now = self._clock.now()
        if now is None or self._disk.full():
            return
        crews = self._signs.crews(time.monotonic(), self._index.running_at)
        orders = [*self._unclaimed(crews), *self._new(now, crews)]
        if not orders:
            return
        try:
            requests = await self._requests([job_id for job_id, _, _ in orders])
        except BaseException:
            for job_id, _, _ in orders:
                self._take_back(job_id)
            raise
        # In this order: the first on WORK is the first that a worker gets.
        placing = (self._place(bundle, requests) for bundle in self._bundled(orders, crews))
        results = await asyncio.gather(*placing, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _requests(self, job_ids: Sequence[UUID]) -> Mapping[UUID, Recorded]:
        found = {job_id: request for job_id in job_ids if (request := self._index.recent.take(job_id))}
        missing = [job_id for job_id in job_ids if job_id not in found]
        return found | await self._log.first_of(missing) if missing else found

    def _new(self, now: datetime, crews: list[Crew]) -> Iterator[New]:
        here, ready = time.monotonic(), self._backlog.ready(now)
        if not ready:
            return
        for lane, count in self._shares.of(crews, ready, self._standing).items():
            for job_id, pending in self._backlog.take(lane, count):
                self._placed[job_id] = Placed(lane=lane, pending=pending, at_s=here, times=0)
                self._standing[lane] += 1
                yield job_id, pending, 1

    def _unclaimed(self, crews: list[Crew]) -> Iterator[New]:
        """Only while somebody has a slot free: before that, an order that waits is no sign of loss."""
        here = time.monotonic()
        if here < self._looked_s + LOOK_EVERY_S:
            return
        self._looked_s = here
        free = {lane for crew in crews if crew.running < crew.slots for lane in crew.lanes}
        for job_id, placed in list(self._placed.items()):
            if here - placed.at_s >= self._again_after_s and placed.lane in free:
                yield job_id, placed.pending, placed.times + 1

    def _take_back(self, job_id: UUID) -> None:
        """The order may not be there: the job waits again."""
        if self._unplace(job_id):
            self._note(job_id)

    def _bundled(self, orders: Sequence[New], crews: list[Crew]) -> Iterator[list[New]]:
        """Orders of one queue of an application that go in one message: fewer than any of its workers has room for, so
        that none is kept from another worker. One that is put again goes alone."""
        lanes: dict[str, list[New]] = {}
        for order in orders:
            job_id, _, times = order
            placed = self._placed.get(job_id)
            if times > 1 or placed is None or placed.lane in names.BUILT_IN_QUEUES:
                yield [order]
            else:
                lanes.setdefault(placed.lane, []).append(order)
        for lane, several in lanes.items():
            rooms = [crew.slots - crew.running for crew in crews if lane in crew.lanes]
            size = min(MOST_BUNDLED, max(1, min(rooms, default=0) // 4))
            yield from (several[first : first + size] for first in range(0, len(several), size))

    async def _place(self, bundle: Sequence[New], requests: Mapping[UUID, Recorded]) -> None:
        try:
            if len(bundle) == 1:
                job_id, pending, times = bundle[0]
                await self._publish(requests[job_id], pending, times)
            else:
                await self._publish_all(bundle, requests)
        except BaseException:
            for job_id, _, _ in bundle:
                self._take_back(job_id)
            raise
        here = time.monotonic()
        for job_id, pending, times in bundle:
            placed = self._placed.get(job_id)
            if placed and placed.pending.attempt == pending.attempt:
                placed.at_s, placed.times = here, times
            metrics.DISPATCHES.labels(pending.facts.queue).inc()
        reach("after_dispatch_publish")

    async def _publish_all(self, bundle: Sequence[New], requests: Mapping[UUID, Recorded]) -> None:
        orders = tuple(
            PlacedOrder(
                event_id=request.event_id,
                correlation_id=request.correlation_id,
                traceparent=request.traceparent,
                attempt=pending.attempt,
                request=request.data,
            )
            for request, pending in ((requests[job_id], pending) for job_id, pending, _ in bundle)
        )
        first_id, pending, _ = bundle[0]
        workspace, body = requests[first_id].workspace, msgspec.json.encode(Orders(orders=orders))
        headers = {"ce-workspace": workspace, ORDERS_HEADER: str(len(orders))}
        await self._put(names.work_subject(workspace, pending.facts.queue, MANY), body, headers)

    async def _publish(self, request: Recorded, pending: Pending, times: int) -> None:
        assert self._epoch
        headers = envelope.to_headers(request, previous=0, epoch=self._epoch)
        del headers["ls-prev"]  # says something about EVENTS, nothing about WORK
        headers["ls-attempt"] = str(pending.attempt)
        facts = pending.facts
        # Replicas that put a new order at once put it once; correctness needs none of it. One that is put again must
        # not be taken for the one that was lost, nor one that waited for its device for the one that was sent away.
        waited = ".waited" if pending.device else ""
        again = f".{times}.{self._name}" if times > 1 else ""
        headers["Nats-Msg-Id"] = f"{facts.job_id}.{pending.attempt}{waited}{again}"
        await self._put(
            names.work_subject(request.workspace, facts.queue, facts.job_type), bytes(request.data), headers
        )


def _another(placed: Pending, pending: Pending) -> bool:
    """The order on WORK, if it is there, is of no use: another attempt is wanted, or nobody may claim this one yet."""
    return (placed.attempt, placed.device) != (pending.attempt, pending.device)
