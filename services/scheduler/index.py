"""What the scheduler's own log says right now: every schedule and calendar, and every job that is open. In memory,
private.

Never the truth: whoever decides on what stands here appends with its version, and a conflict sends them to the log.
The tail feeds it, in log order; what happens to open jobs by our own appends it hears before that.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

import structlog

from linstock import names
from linstock.cron import InvalidCron
from linstock.eventlog.record import Recorded
from services.scheduler import timing
from services.scheduler.calendars import CALENDAR, Calendars, KnownCalendar
from services.scheduler.devices import Devices
from services.scheduler.hints import Hinted
from services.scheduler.job import Awaiting, Closed, Facts, Pending, Running, Unrequested
from services.scheduler.known import HINTS, JOB, SCHEDULE, KnownHints, KnownJob, KnownSchedule
from services.scheduler.recent import Recent
from services.scheduler.schedule import Deleted, Enabled, Live
from services.scheduler.shelf import Shelf

logger = structlog.get_logger(__name__)

OnSchedule = Callable[[KnownSchedule | None, KnownSchedule], None]
"""Called with what it was (None: unknown) and what it is."""


class Index:
    """`position` is the last one applied. Listeners are called after each change. `due` says when each schedule is to
    decide something next; `decided` is the latest instant that any of them has decided."""

    def __init__(self) -> None:
        self.position = 0
        self.schedules = Shelf()
        self.due: dict[UUID, datetime] = {}
        self.decided: datetime | None = None
        self.jobs: dict[UUID, KnownJob] = {}
        self.running: dict[UUID, KnownJob] = {}
        self.awaiting: dict[UUID, dict[UUID, None]] = {}  # those that wait for the end of another, by that one
        self._running_at: Counter[str] = Counter()  # by worker
        self.calendars = Calendars()
        self.hints: dict[UUID, KnownHints] = {}  # by library: those that wait for their scan
        self.recent = Recent()
        self._devices = Devices()
        self._open_by_subject: dict[UUID, dict[UUID, None]] = {}
        self._further: dict[UUID, set[UUID]] = {}  # by library: all its schedules but its own
        self._on_schedule: list[OnSchedule] = []
        self._on_job: list[Callable[[UUID], None]] = []
        self._on_closed: list[Callable[[Closed], None]] = []
        self._on_calendar: list[Callable[[UUID], None]] = []
        self._on_hints: list[Callable[[UUID], None]] = []
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def on_schedule(self, listener: OnSchedule) -> None:
        self._on_schedule.append(listener)

    def on_job(self, listener: Callable[[UUID], None]) -> None:
        self._on_job.append(listener)

    def on_closed(self, listener: Callable[[Closed], None]) -> None:
        """Of jobs that have ended; `on_job` is told as well."""
        self._on_closed.append(listener)

    def on_calendar(self, listener: Callable[[UUID], None]) -> None:
        self._on_calendar.append(listener)

    def on_hints(self, listener: Callable[[UUID], None]) -> None:
        self._on_hints.append(listener)

    def restore(
        self,
        position: int,
        decided: datetime | None,
        jobs: Iterable[KnownJob],
        calendars: Iterable[KnownCalendar] = (),
        hints: Iterable[KnownHints] = (),
    ) -> None:
        """Start from stored rows instead of from nothing; schedules come by `shelve`. Listeners are not called."""
        self.position = position
        self.decided = decided
        self.calendars.known.update({each.calendar_id: each for each in calendars})
        for known in jobs:
            self._place(known)
        self.hints.update({known.library_id: known for known in hints})

    def shelve(
        self,
        schedule_id: UUID,
        packed: bytes,
        due: datetime | None,
        library_id: UUID | None,
        calendars: Sequence[UUID] = (),
    ) -> None:
        """A stored schedule; `library_id` is that of `further_of`, `calendars` those that it has copies of."""
        self.schedules.keep_packed(schedule_id, packed)
        self.calendars.use(schedule_id, tuple(calendars))
        if due is not None:
            self.due[schedule_id] = due
        if library_id is not None:
            self._further.setdefault(library_id, set()).add(schedule_id)

    def apply(self, recorded: Recorded) -> None:
        """The next event of the log; one that was applied already changes nothing."""
        if recorded.position <= self.position:
            return
        if recorded.aggregate == SCHEDULE.name:
            before = self.schedules.get(recorded.aggregate_id)
            self.keep(before, KnownSchedule.fold(before, recorded))
        elif recorded.aggregate == JOB.name:
            if recorded.version == 1 and recorded.aggregate_id not in self.jobs:
                self.recent.keep(recorded)
            self._apply_job(recorded)
        elif recorded.aggregate == CALENDAR.name:
            calendar_id = self.calendars.apply(recorded)
            for listener in self._on_calendar:
                listener(calendar_id)
        elif recorded.aggregate == HINTS.name:
            self._apply_hints(recorded)
        self._advance(recorded.position)

    def running_at(self, worker: str) -> int:
        """How many attempts a worker runs."""
        return self._running_at[worker]

    def open_jobs_of(self, subject_id: UUID) -> list[UUID]:
        """What is open for a library, whichever of its schedules asked; else for a schedule."""
        return list(self._open_by_subject.get(subject_id, ()))

    def jobs_serving(self, library_id: UUID) -> list[UUID]:
        """What is open for a library beside its scans. Looks at every open job."""
        states = ((job_id, known.state) for job_id, known in self.jobs.items())
        return [
            job_id
            for job_id, state in states
            if isinstance(state, Pending | Running) and state.facts.serves == library_id
        ]

    def waiting_jobs_of(self, schedule_id: UUID, subject_id: UUID) -> int:
        """How many of a schedule's jobs wait for their turn in its library."""
        facts = (_waiting(self.jobs[each]) for each in self._open_by_subject.get(subject_id, ()))
        return sum(1 for each in facts if each and each.schedule_id == schedule_id and not each.hinted)

    def is_hinted(self, job_id: UUID) -> bool:
        """Whether it is an open scan that hints have led to."""
        known = self.jobs.get(job_id)
        return known is not None and not isinstance(known.state, Unrequested) and known.state.facts.hinted

    def has_turn(self, job_id: UUID) -> bool:
        """Whether a job may start as far as others of its library and of its device are concerned: one that waits comes
        after all that were asked for before it, and while none runs."""
        known = self.jobs.get(job_id)
        if known and isinstance(known.state, Pending) and known.state.device:
            return self.has_room(job_id, known.state.device, known.state.device_limit)
        facts = _waiting(known) if known else None
        if known is None or facts is None or facts.library_id is None:
            return True
        others = (self.jobs[each] for each in self._open_by_subject[facts.library_id] if each != job_id)
        return all(isinstance(each.state, Pending) and each.position > known.position for each in others)

    def has_room(self, job_id: UUID, device: str, limit: int) -> bool:
        """Whether one more may run on the device, and none that waits for it comes before this one."""
        known = self.jobs.get(job_id)
        facts = known.state.facts if known and isinstance(known.state, Pending) else None
        return facts is None or self._devices.has_room(facts, device, limit)

    async def running_soon(self, job_id: UUID, *, within_s: float) -> None:
        """Returns when the job is seen to run, or to be closed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while job_id in self.jobs and job_id not in self.running:
                    if not await self.reached(self.position + 1, timeout_s=within_s):
                        return

    def schedules_of(self, library_id: UUID) -> list[UUID]:
        """Every schedule that the library ever had, its own one first."""
        own = names.schedule_of(library_id)
        further = sorted(self._further.get(library_id, ()), key=str)
        return [own, *further] if own in self.schedules else further

    async def reached(self, position: int, *, timeout_s: float) -> bool:
        """True once everything up to `position` is applied; False after `timeout_s`."""
        if self.position >= position:
            return True
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (position, waiter)
        self._waiting.append(entry)
        try:
            await asyncio.wait([waiter], timeout=timeout_s)
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)
        return waiter.done()

    def _apply_job(self, recorded: Recorded) -> None:
        known = self.jobs.get(recorded.aggregate_id)
        if known is None and recorded.version > 1:
            return  # closed before; what still comes (an ignored outcome) opens nothing
        if known is None or known.version < recorded.version:
            self._change(known, KnownJob.fold(known, recorded))

    def foretell(self, now: KnownJob) -> None:
        """What a job has become by an append of ours, before the tail comes to it. One that is not known is closed, or
        the tail will come to all of it. (One that has ended before the tail comes to its request is opened once more,
        until the tail comes to its end: whoever claims it meanwhile is refused by the log.)"""
        known = self.jobs.get(now.job_id)
        if known.version < now.version if known else now.version == 1:
            self._change(known, now)

    def foretell_requests(self, appended: Sequence[Recorded]) -> None:
        """Jobs that we were asked for, so that they need not wait for the tail. What it has passed already may have
        ended meanwhile."""
        for recorded in appended:
            if recorded.aggregate == JOB.name and recorded.version == 1 and recorded.position > self.position:
                self.recent.keep(recorded)
                self.foretell(KnownJob.fold(None, recorded))

    def _change(self, known: KnownJob | None, now: KnownJob) -> None:
        was_open = known is not None and not isinstance(known.state, Closed)
        self._place(now)
        self._tell_of_job(now.job_id)
        for waiting in self._devices.moved(known.state if known else None, now.state):
            self._tell_of_job(waiting)
        if was_open and isinstance(now.state, Closed):
            for listener in self._on_closed:
                listener(now.state)
            self._count(now.state)
            self._tell_waiting(now.state)

    def _apply_hints(self, recorded: Recorded) -> None:
        known = KnownHints.fold(self.hints.get(HINTS.decode(recorded.data).library_id), recorded)
        self.hints.pop(known.library_id, None)
        if isinstance(known.state, Hinted):
            self.hints[known.library_id] = known
        for listener in self._on_hints:
            listener(known.library_id)

    def _tell_waiting(self, closed: Closed) -> None:
        """One of them may have its turn now."""
        if closed.facts.library_id:
            for job_id in self.open_jobs_of(closed.facts.library_id):
                if _waiting(self.jobs[job_id]):
                    self._tell_of_job(job_id)

    def _count(self, run: Closed) -> None:
        known = self.schedules.get(run.facts.schedule_id) if run.facts.schedule_id else None
        if known and known.failures != (after := known.after(run)).failures:
            self.keep(known, after)

    def keep(self, before: KnownSchedule | None, known: KnownSchedule) -> None:
        """It is `known` from now on; it was `before`, if it was anything."""
        known = self.calendars.shared(known)
        self.schedules.keep(known)
        self.calendars.note(known)
        if before is None and (library_id := further_of(known)):
            self._further.setdefault(library_id, set()).add(known.schedule_id)
        if isinstance(known.state, Enabled) and (self.decided is None or self.decided < known.state.cursor):
            self.decided = known.state.cursor
        due = _upcoming(known)
        if due is None:
            self.due.pop(known.schedule_id, None)
        else:
            self.due[known.schedule_id] = due
        for listener in self._on_schedule:
            listener(before, known)

    def _place(self, known: KnownJob) -> None:
        job_id, state = known.job_id, known.state
        if isinstance(state, Unrequested):
            return
        subject_id = state.facts.library_id or state.facts.schedule_id
        siblings = self._open_by_subject.setdefault(subject_id, {}) if subject_id else {}
        self._leave(self.jobs.get(job_id))
        self._devices.place(state)
        if isinstance(state, Closed):
            self.jobs.pop(job_id, None)
            siblings.pop(job_id, None)
            if subject_id and not siblings:
                del self._open_by_subject[subject_id]
            return
        self.jobs[job_id] = known
        siblings[job_id] = None
        if isinstance(state, Running):
            self.running[job_id] = known
            self._running_at[state.worker] += 1
        elif isinstance(state, Awaiting):
            for each in state.after:
                self.awaiting.setdefault(each.job_id, {})[job_id] = None

    def _leave(self, known: KnownJob | None) -> None:
        """It is something else from now on."""
        match known.state if known else None:
            case Running(worker=worker, facts=facts):
                self.running.pop(facts.job_id, None)
                self._running_at[worker] -= 1
                if not self._running_at[worker]:
                    del self._running_at[worker]
            case Awaiting(after=after, facts=facts):
                for each in after:
                    waiting = self.awaiting.get(each.job_id, {})
                    waiting.pop(facts.job_id, None)
                    if not waiting:
                        self.awaiting.pop(each.job_id, None)
            case _:
                return

    def _tell_of_job(self, job_id: UUID) -> None:
        for listener in self._on_job:
            listener(job_id)

    def _advance(self, position: int) -> None:
        self.position = position
        if self._waiting:
            for wanted, waiter in self._waiting:
                if wanted <= position and not waiter.done():
                    waiter.set_result(None)


def _waiting(known: KnownJob) -> Facts | None:
    """Of one that may start only when others of its library have ended, and did not start yet."""
    state = known.state
    return state.facts if isinstance(state, Pending) and state.attempt == 1 and state.facts.waits else None


def further_of(known: KnownSchedule) -> UUID | None:
    """The library that it is a further schedule of; None for a library's own one."""
    live = known.state.last if isinstance(known.state, Deleted) else known.state
    return live.target.library_id if isinstance(live, Live) and not live.own else None


def _upcoming(known: KnownSchedule) -> datetime | None:
    try:
        return timing.upcoming(known.state, known.failures)
    except InvalidCron as error:
        logger.error("Failed to register job", schedule_id=str(known.schedule_id), error=str(error))
        return None
