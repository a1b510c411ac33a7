"""Fires schedules at their instants: one append holds the tick and the job it asks for.

Any number of tickers may run. Each proposes the same ticks with the version it knows; Postgres takes the first, and the
others see a conflict and read on. So there is no leader and nothing to elect. Leases only say who tries first: what is
not this replica's is left to the others for a while, and fired here if nobody did.
"""

import asyncio
import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from linstock import recurrence
from linstock.cancellation import cancel
from linstock.crashpoints import reach
from linstock.cron import InvalidCron
from linstock.disk import Disk
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Append, FutureInstant, Origin, VersionConflict
from linstock.messages.job import CancelJob, ScanRequested
from linstock.messages.schedule import ScheduleEvent, Tick, TickFired, TicksSkipped
from services.scheduler import job, metrics, schedule, timing
from services.scheduler.clock import PostgresClock
from services.scheduler.index import Index
from services.scheduler.known import JOB, KnownSchedule
from services.scheduler.schedule import Enabled, Paused

logger = structlog.get_logger(__name__)

ACTOR = "scheduler"
REPLACED = "the schedule's next run took its place"
TIME_TO_STOP = timedelta(seconds=10)  # for whoever works for a cancelled job, before the next may start
CONCURRENT = 200  # appends at once; group commit puts them together
NAMED_AT_START = 100  # schedules; a hundred thousand lines would keep the first tick waiting
SET_BACK = timedelta(seconds=2)  # less is a measurement that came late
LONGEST_SLEEP_S = 1.0
SHORTEST_SLEEP_S = 0.001
AGAIN_S = 0.05
PATIENCE = timedelta(seconds=4)  # whoever holds the lease may be dead, and its lease not over
AFTER_ERROR_S = 0.5


class Ticker:
    """Keeps the next instant of every schedule in a heap; entries that no longer hold are passed over."""

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
        self._tzdata = tzdata
        self._mine = mine
        self._heap: list[tuple[datetime, UUID]] = []
        self._left: dict[UUID, datetime] = {}  # due, and another replica's
        self._next: dict[UUID, datetime] = {}
        self._registered: dict[UUID, int] = {}
        self._changed = asyncio.Event()
        self._slots = asyncio.Semaphore(CONCURRENT)
        self._firing: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._index.on_schedule(self._plan)
        for schedule_id in self._index.schedules:
            self._plan(schedule_id)
        logger.info(f"Found {len(self._next)} active scheduled jobs", count=len(self._next))
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
        now = self._clock.now()
        states = [known.state for known in self._index.active()]
        decided = max((state.cursor for state in states if isinstance(state, Enabled)), default=None)
        if now is None or decided is None or decided - now <= SET_BACK:
            return None
        minutes = (decided - now).total_seconds() / 60
        return (
            f"PostgreSQL's clock was set back; schedules wait until it shows {decided:%Y-%m-%d %H:%M:%S} UTC again, "
            f"in {minutes:.0f} min: no instant fires twice"
        )

    def _plan(self, schedule_id: UUID) -> None:
        """Note when the schedule is due next. Called after every change of it."""
        known = self._index.schedules.get(schedule_id)
        due = self._upcoming(known) if known else None
        if due is None:
            self._next.pop(schedule_id, None)
            self._registered.pop(schedule_id, None)
        elif self._next.get(schedule_id) != due:
            self._next[schedule_id] = due
            heapq.heappush(self._heap, (due, schedule_id))
            if self._heap[0][1] == schedule_id:
                self._changed.set()
        metrics.ACTIVE_SCHEDULES.set(len(self._registered))

    def _upcoming(self, known: KnownSchedule) -> datetime | None:
        state = known.state
        try:
            due = timing.upcoming(state, known.failures)
        except InvalidCron as error:
            logger.error("Failed to register job", schedule_id=str(known.schedule_id), error=str(error))
            return None
        if isinstance(state, Enabled) and self._registered.get(known.schedule_id) != state.version:
            self._registered[known.schedule_id] = state.version
            if self._task is not None or len(self._index.schedules) <= NAMED_AT_START:
                logger.info(
                    "Registered job", job=state.name, cron=state.timing.expression, zone=state.timing.zone, next=due
                )
        return due

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            # On a full disk instants pass as they do without a clock: afterwards the latest is caught up.
            now = None if self._disk.full() else self._clock.now()
            if now is not None:
                self._adopt(now)
                self._fire_due(now)
            try:
                async with asyncio.timeout(self._sleep_s(now)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _fire_due(self, now: datetime) -> None:
        while self._heap and self._heap[0][0] <= now:
            due, schedule_id = heapq.heappop(self._heap)
            if self._next.get(schedule_id) != due:
                continue
            if not self._mine(schedule_id) and now - due < PATIENCE:
                self._left[schedule_id] = due
                continue
            del self._next[schedule_id]
            task = asyncio.create_task(self._fire(schedule_id))
            self._firing.add(task)
            task.add_done_callback(self._firing.discard)

    def _adopt(self, now: datetime) -> None:
        """What was left to others, and is this replica's by now or was fired by nobody."""
        for schedule_id, due in list(self._left.items()):
            if self._next.get(schedule_id) != due:
                del self._left[schedule_id]
            elif self._mine(schedule_id) or now - due >= PATIENCE:
                del self._left[schedule_id]
                heapq.heappush(self._heap, (due, schedule_id))

    def _sleep_s(self, now: datetime | None) -> float:
        if now is None:
            return AGAIN_S  # the clock, or room, may be back any moment
        if not self._heap:
            return LONGEST_SLEEP_S
        ahead_s = (self._heap[0][0] - now).total_seconds()
        return min(max(ahead_s, SHORTEST_SLEEP_S), LONGEST_SLEEP_S)

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
        self._plan(schedule_id)

    async def _tick(self, schedule_id: UUID) -> bool:
        """Whether something was appended."""
        known, now = self._index.schedules.get(schedule_id), self._clock.now()
        if known is None or now is None or not isinstance(known.state, Enabled | Paused):
            return False
        library_id = known.state.target.library_id
        open_jobs = self._index.open_jobs_of(library_id)
        tick = timing.proposal(
            known.state,
            now,
            busy=open_jobs[0] if open_jobs else None,
            open_jobs=tuple(open_jobs),
            waiting=self._index.waiting_jobs_of(known.schedule_id, library_id) if open_jobs else 0,
            failures=known.failures,
            tzdata=self._tzdata,
        )
        events = schedule.decide(tick, known.state) if tick else []
        if not tick or not events:
            return False
        appends, origin = self._appends(known, known.state, events, now)
        await self._log.append(appends, origin, not_before=_not_before(tick, known.state))
        reach("after_tick_append")
        self._count(events)
        return True

    def _appends(
        self, known: KnownSchedule, state: Enabled | Paused, events: list[ScheduleEvent], now: datetime
    ) -> tuple[list[Append], Origin]:
        """The jobs first: whoever has seen the tick has seen its job."""
        ticks = [event for event in events if isinstance(event, TickFired)]
        appends = [self._cancel(job_id, now) for tick in ticks for job_id in tick.cancels if job_id in self._index.jobs]
        for tick in ticks:
            assert isinstance(state, Enabled)
            request = _request(state, tick, now)
            appends.append(Append(aggregate=JOB.name, aggregate_id=tick.job_id, expected_version=0, events=[request]))
        correlation_id = ticks[0].job_id if ticks else known.schedule_id
        origin = Origin(workspace=known.workspace, actor=ACTOR, at=now, correlation_id=correlation_id)
        return [*appends, known.append(events)], origin

    def _cancel(self, job_id: UUID, now: datetime) -> Append:
        known = self._index.jobs[job_id]
        return known.append(job.decide(CancelJob(job_id=job_id, reason=REPLACED, at=now), known.state))

    def _count(self, events: list[ScheduleEvent]) -> None:
        now = self._clock.now()
        for event in events:
            if isinstance(event, TickFired):
                metrics.TICKS.labels(event.verdict).inc()
                if now is not None:
                    metrics.TICK_LATENESS.observe(max(0.0, (now - event.instant).total_seconds()))
            elif isinstance(event, TicksSkipped):
                metrics.TICKS.labels(f"skipped_{event.reason}").inc(event.count)


def _request(state: Enabled, tick: TickFired, now: datetime) -> ScanRequested:
    graceful = tick.cancels and state.rules.overlap == "cancel_other"
    return ScanRequested(
        job_id=tick.job_id,
        schedule_id=tick.schedule_id,
        instant=tick.instant,
        triggered_by="Scheduler",
        target=state.target,
        policy=state.policy,
        requested_at=now,
        scan_mode=state.scan_mode,
        include_subfolders=state.target.include_subfolders,
        waits=tick.behind is not None,
        not_before=now + TIME_TO_STOP if graceful else None,
    )


def _not_before(tick: Tick, state: Enabled | Paused) -> datetime | None:
    """What Postgres's clock must have reached for this to be true."""
    if isinstance(state, Paused):
        return state.resume_at
    passed = (each.last for each in tick.passed[-1:])
    due = (recurrence.release(state.timing, state.rules, state.schedule_id, each) for each in tick.instants[-1:])
    return max([*passed, *due], default=None)
