"""From what is known of a schedule to what is to be appended for it: its events, and the jobs that they ask for."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from msgspec import Struct

from linstock import recurrence
from linstock.eventlog.record import Append, Origin
from linstock.messages.job import CancelJob, ScanRequested
from linstock.messages.schedule import ScheduleEvent, Tick, TickFired
from services.scheduler import job, schedule, timing
from services.scheduler.index import Index
from services.scheduler.known import JOB, KnownSchedule
from services.scheduler.schedule import Enabled, Paused

ACTOR = "scheduler"
REPLACED = "the schedule's next run took its place"
TIME_TO_STOP = timedelta(seconds=10)  # for whoever works for a cancelled job, before the next may start


class TooMany(Exception):
    """More instants are due than were to be counted."""


class Decision(Struct, frozen=True):
    """One append. `not_before` is what Postgres's clock must have reached for it to be true."""

    events: Sequence[ScheduleEvent]
    appends: Sequence[Append]
    origin: Origin
    not_before: datetime | None


class Decider:
    """Decides on what the index shows."""

    def __init__(self, index: Index, *, tzdata: str) -> None:
        self._index = index
        self._tzdata = tzdata

    def decide(self, known: KnownSchedule, now: datetime, *, most: int) -> Decision | None:
        """None when nothing is to be said at `now`. Raises TooMany when at least `most` instants are due, of which each
        costs about 10 µs."""
        propose = self._proposal(known, now)
        tick = propose(limit=most) if propose else None
        if tick is not None and tick.more:
            raise TooMany
        return self._decision(known, tick, now)

    async def decide_many(self, known: KnownSchedule, now: datetime, *, most: int) -> Decision | None:
        """The same in a thread, on the first `most`."""
        propose = self._proposal(known, now)
        tick = await asyncio.to_thread(propose, limit=most) if propose else None
        return self._decision(known, tick, now)

    def _proposal(self, known: KnownSchedule, now: datetime) -> Callable[..., Tick | None] | None:
        state = known.state
        if not isinstance(state, Enabled | Paused):
            return None
        library_id = state.target.library_id
        open_jobs = self._index.open_jobs_of(library_id)
        return partial(
            timing.proposal,
            state,
            now,
            busy=open_jobs[0] if open_jobs else None,
            open_jobs=tuple(open_jobs),
            waiting=self._index.waiting_jobs_of(known.schedule_id, library_id) if open_jobs else 0,
            failures=known.failures,
            tzdata=self._tzdata,
        )

    def _decision(self, known: KnownSchedule, tick: Tick | None, now: datetime) -> Decision | None:
        state = known.state
        events = schedule.decide(tick, state) if tick else []
        if not tick or not events:
            return None
        assert isinstance(state, Enabled | Paused)
        ticks = [event for event in events if isinstance(event, TickFired)]
        return Decision(
            events=events,
            appends=[*self._jobs(state, ticks, now), known.append(events)],
            origin=Origin(
                workspace=known.workspace,
                actor=ACTOR,
                at=now,
                correlation_id=ticks[0].job_id if ticks else known.schedule_id,
            ),
            not_before=_not_before(tick, state),
        )

    def _jobs(self, state: Enabled | Paused, ticks: Sequence[TickFired], now: datetime) -> list[Append]:
        """Before the ticks: whoever has seen the tick has seen its job."""
        appends = [self._cancel(job_id, now) for tick in ticks for job_id in tick.cancels if job_id in self._index.jobs]
        for tick in ticks:
            assert isinstance(state, Enabled)
            request = _request(state, tick, now)
            appends.append(Append(aggregate=JOB.name, aggregate_id=tick.job_id, expected_version=0, events=[request]))
        return appends

    def _cancel(self, job_id: UUID, now: datetime) -> Append:
        known = self._index.jobs[job_id]
        return known.append(job.decide(CancelJob(job_id=job_id, reason=REPLACED, at=now), known.state))


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
    if isinstance(state, Paused):
        return state.resume_at
    if tick.instants:
        return recurrence.release(state.timing, state.rules, state.schedule_id, tick.instants[-1])
    return tick.passed[-1].last if tick.passed else None
