"""Fires schedules at their instants: one append holds the tick and the job it asks for.

Any number of tickers may run. Each proposes the same ticks with the version it knows; Postgres takes the first, and the
others see a conflict and read on. So there is no leader and nothing to elect. Leases only say who tries first: what is
not this replica's is left to the others for a while, and fired here if nobody did.

What is due within the next half second is decided already, as if it were its instant; then only the append is left to
do. Any change of the schedule, and an open job of its library, make such a decision void.
"""

import asyncio
import heapq
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from linstock.cancellation import cancel
from linstock.crashpoints import reach
from linstock.disk import Disk
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import FutureInstant, VersionConflict
from linstock.messages.schedule import ScheduleEvent, TickFired, TicksSkipped
from services.scheduler import metrics
from services.scheduler.clock import PostgresClock
from services.scheduler.decision import Decider, Decision, TooMany
from services.scheduler.index import Index
from services.scheduler.known import KnownSchedule
from services.scheduler.schedule import Enabled

logger = structlog.get_logger(__name__)

CONCURRENT = 200  # appends at once; group commit puts them together
AT_ONCE = 32  # firings, before the first of them are on their way
LISTED = 1_000  # due instants that are counted on the event loop; more go to a thread
SET_BACK = timedelta(seconds=2)  # less is a measurement that came late
COUNTED = 100_000  # due instants that one append decides at most
NAMED_AT_START = 100  # schedules; a hundred thousand lines would keep the first tick waiting
AHEAD = timedelta(seconds=0.5)
AHEAD_AT_ONCE = 8  # decisions: a millisecond, then others have their turn
MOST_AHEAD = 10_000
TOO_LATE = timedelta(seconds=0.5)  # for what was decided as of the instant itself
LONGEST_SLEEP_S = 1.0
SHORTEST_SLEEP_S = 0.001
AGAIN_S = 0.05
PATIENCE = timedelta(seconds=4)  # whoever holds the lease may be dead, and its lease not over
AFTER_ERROR_S = 0.5


class Ticker:
    """Keeps all schedules in a heap by when they are due; entries that no longer hold are passed over."""

    def __init__(
        self,
        log: EventLog,
        index: Index,
        clock: PostgresClock,
        *,
        mine: Callable[[UUID], bool] = lambda _: True,
        disk: Disk | None = None,
        tzdata: str,
    ) -> None:
        self._log = log
        self._index = index
        self._clock = clock
        self._disk = disk or Disk(None)
        self._decider = Decider(index, tzdata=tzdata)
        self._mine = mine
        self._heap: list[tuple[datetime, UUID]] = []
        self._soon: list[tuple[datetime, UUID]] = []  # a heap too: those that were looked at ahead of their time
        self._ahead: dict[UUID, Decision] = {}
        self._left: dict[UUID, datetime] = {}  # due, and another replica's
        self._in_hand: set[UUID] = set()  # being fired, or fired: until the index shows what came of it
        self._changed = asyncio.Event()
        self._slots = asyncio.Semaphore(CONCURRENT)
        self._firing: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._index.on_schedule(self._plan)
        self._heap = [(due, schedule_id) for schedule_id, due in self._index.due.items()]
        heapq.heapify(self._heap)
        logger.info(f"Found {len(self._heap)} active scheduled jobs", count=len(self._heap))
        if len(self._heap) <= NAMED_AT_START:
            for known in self._index.schedules.values():
                self._announce(None, known)
        metrics.ACTIVE_SCHEDULES.set(len(self._heap))
        self._task = asyncio.create_task(self._run(), name="ticker")

    async def stop(self) -> None:
        """Waits for appends under way."""
        if self._task:
            await cancel(self._task)
            await asyncio.gather(*self._firing, return_exceptions=True)
            self._task = None

    def look(self) -> None:
        """Other partitions are this replica's than before."""
        self._changed.set()

    async def problem(self) -> str | None:
        """A sentence for readiness while Postgres's clock is behind what was decided by it: it was set back."""
        now, decided = self._clock.now(), self._index.decided
        if now is None or decided is None or decided - now <= SET_BACK:
            return None
        minutes = (decided - now).total_seconds() / 60
        return (
            f"PostgreSQL's clock was set back; schedules wait until it shows {decided:%Y-%m-%d %H:%M:%S} UTC again, "
            f"in {minutes:.0f} min: no instant fires twice"
        )

    def _plan(self, before: KnownSchedule | None, known: KnownSchedule) -> None:
        """It is another than before: note when it is due next."""
        self._ahead.pop(known.schedule_id, None)
        self._in_hand.discard(known.schedule_id)
        self._push(known.schedule_id)
        self._announce(before, known)
        metrics.ACTIVE_SCHEDULES.set(len(self._index.due))

    def _push(self, schedule_id: UUID) -> None:
        due = self._index.due.get(schedule_id)
        if due is not None:
            heapq.heappush(self._heap, (due, schedule_id))
            if self._heap[0][1] == schedule_id:
                self._changed.set()

    def _announce(self, before: KnownSchedule | None, known: KnownSchedule) -> None:
        """Only what ticks anew, or otherwise than before."""
        state, was = known.state, before.state if before else None
        due = self._index.due.get(known.schedule_id)
        if due is None or not isinstance(state, Enabled) or (isinstance(was, Enabled) and was.version == state.version):
            return
        logger.info("Registered job", job=state.name, cron=state.timing.expression, zone=state.timing.zone, next=due)

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            # On a full disk instants pass as they do without a clock: afterwards the latest is caught up.
            now = None if self._disk.full() else self._clock.now()
            if now is not None:
                self._adopt(now)
                await self._fire_due(now)
                if self._look_ahead(now):
                    await asyncio.sleep(0)
                    continue
            try:
                async with asyncio.timeout(self._sleep_s(now)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _fire_due(self, now: datetime) -> None:
        fired = 0
        for heap in (self._soon, self._heap):
            while heap and heap[0][0] <= now:
                due, schedule_id = heapq.heappop(heap)
                if not self._holds(due, schedule_id):
                    continue
                if not self._mine(schedule_id) and now - due < PATIENCE:
                    self._left[schedule_id] = due
                    continue
                self._in_hand.add(schedule_id)
                task = asyncio.create_task(self._fire(schedule_id))
                self._firing.add(task)
                task.add_done_callback(self._firing.discard)
                fired += 1
                if fired % AT_ONCE == 0:
                    await asyncio.sleep(0)

    def _holds(self, due: datetime, schedule_id: UUID) -> bool:
        return self._index.due.get(schedule_id) == due and schedule_id not in self._in_hand

    def _look_ahead(self, now: datetime) -> bool:
        """Decides on the next few that are due soon; whether there were any."""
        some = 0
        while some < AHEAD_AT_ONCE and self._heap and self._heap[0][0] <= now + AHEAD and len(self._soon) < MOST_AHEAD:
            due, schedule_id = heapq.heappop(self._heap)
            if self._holds(due, schedule_id):
                heapq.heappush(self._soon, (due, schedule_id))
                if self._mine(schedule_id) and (decided := self._decided_ahead(due, schedule_id)):
                    self._ahead[schedule_id] = decided
                some += 1
        return some > 0

    def _decided_ahead(self, due: datetime, schedule_id: UUID) -> Decision | None:
        known = self._index.schedules[schedule_id]
        state = known.state
        if not isinstance(state, Enabled) or self._index.open_jobs_of(state.target.library_id):
            return None
        try:
            return self._decider.decide(known, due, most=LISTED)
        except TooMany:
            return None

    def _adopt(self, now: datetime) -> None:
        """What was left to others, and is this replica's by now or was fired by nobody."""
        for schedule_id, due in list(self._left.items()):
            if not self._holds(due, schedule_id):
                del self._left[schedule_id]
            elif self._mine(schedule_id) or now - due >= PATIENCE:
                del self._left[schedule_id]
                heapq.heappush(self._heap, (due, schedule_id))

    def _sleep_s(self, now: datetime | None) -> float:
        if now is None:
            return AGAIN_S  # the clock, or room, may be back any moment
        ahead = [heap[0][0] - now - early for heap, early in ((self._soon, timedelta(0)), (self._heap, AHEAD)) if heap]
        first_s = min(ahead).total_seconds() if ahead else LONGEST_SLEEP_S
        return min(max(first_s, SHORTEST_SLEEP_S), LONGEST_SLEEP_S)

    async def _fire(self, schedule_id: UUID) -> None:
        """Decide what is due. What was appended comes back through the index, which plans the next instant."""
        async with self._slots:
            try:
                if await self._tick(schedule_id):
                    return
                await asyncio.sleep(AGAIN_S)
            except (VersionConflict, FutureInstant):
                await asyncio.sleep(AGAIN_S)  # another replica was first, or Postgres's clock was set back
            except Exception as error:  # Postgres is away: the same instant again, as soon as it is back
                logger.warning("A tick could not be appended", schedule_id=str(schedule_id), error=repr(error))
                await asyncio.sleep(AFTER_ERROR_S)
        if schedule_id in self._in_hand:
            self._in_hand.discard(schedule_id)
            self._push(schedule_id)

    async def _tick(self, schedule_id: UUID) -> bool:
        """Whether something was appended."""
        known, now = self._index.schedules.get(schedule_id), self._clock.now()
        ahead = self._ahead.pop(schedule_id, None)
        if known is None or now is None:
            return False
        decision = ahead if ahead and self._still(ahead, known, now) else await self._decide(known, now)
        if decision is None:
            return False
        await self._log.append(decision.appends, decision.origin, not_before=decision.not_before)
        reach("after_tick_append")
        self._count(decision.events)
        return True

    def _still(self, ahead: Decision, known: KnownSchedule, now: datetime) -> bool:
        """Whether it would be decided like this now."""
        assert isinstance(known.state, Enabled)  # or its change had made the decision void
        return now - ahead.origin.at < TOO_LATE and not self._index.open_jobs_of(known.state.target.library_id)

    async def _decide(self, known: KnownSchedule, now: datetime) -> Decision | None:
        try:
            return self._decider.decide(known, now, most=LISTED)
        except TooMany:
            return await self._decider.decide_many(known, now, most=COUNTED)

    def _count(self, events: Sequence[ScheduleEvent]) -> None:
        now = self._clock.now()
        for event in events:
            if isinstance(event, TickFired):
                metrics.TICKS.labels(event.verdict).inc()
                if now is not None:
                    metrics.TICK_LATENESS.observe(max(0.0, (now - event.instant).total_seconds()))
            elif isinstance(event, TicksSkipped):
                metrics.TICKS.labels(f"skipped_{event.reason}").inc(event.count)
