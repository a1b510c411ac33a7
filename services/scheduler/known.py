"""A schedule or a job as far as its events were read: its state, and what its next append needs."""

from datetime import datetime
from functools import reduce
from uuid import UUID

from msgspec.structs import replace

from linstock import names
from linstock.eventlog.decider import Aggregate, Snapshots
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Append, Origin, Recorded
from linstock.messages.hints import HintEvent
from linstock.messages.job import JobEvent
from linstock.messages.message import Message
from linstock.messages.schedule import ScheduleEnabled, ScheduleEvent, SchedulePaused, ScheduleResumed
from services.scheduler import hints, job, schedule
from services.scheduler.hints import Hints
from services.scheduler.job import Closed, Job
from services.scheduler.schedule import Schedule

SCHEDULE: Aggregate[Schedule, ScheduleEvent] = Aggregate(
    "schedule",
    initial=schedule.initial,
    evolve=schedule.evolve,
    events=ScheduleEvent,
    state=Schedule,
    snapshots=Snapshots(shape="schedule.v3"),
)
HINTS: Aggregate[Hints, HintEvent] = Aggregate(
    "hints",
    initial=hints.initial,
    evolve=hints.evolve,
    events=HintEvent,
    state=Hints,
    snapshots=Snapshots(shape="hints.v1"),
)
JOB: Aggregate[Job, JobEvent] = Aggregate("job", initial=job.initial, evolve=job.evolve, events=JobEvent, state=Job)


class KnownSchedule(Message, frozen=True):
    """`failures` counts its latest runs that failed in a row, since it was last switched on, paused or resumed."""

    schedule_id: UUID
    workspace: str
    state: Schedule
    version: int
    failures: int = 0

    @staticmethod
    def fold(known: "KnownSchedule | None", recorded: Recorded) -> "KnownSchedule":
        state, event = known.state if known else schedule.initial(), SCHEDULE.decode(recorded.data)
        anew = isinstance(event, SchedulePaused | ScheduleResumed | ScheduleEnabled)
        return KnownSchedule(
            schedule_id=recorded.aggregate_id,
            workspace=recorded.workspace,
            state=schedule.evolve(state, event),
            version=recorded.version,
            failures=known.failures if known and not anew else 0,
        )

    def after(self, run: Closed) -> "KnownSchedule":
        """With what one of its runs came to; a cancelled one says nothing."""
        if run.verdict == "cancelled":
            return self
        return replace(self, failures=0 if run.verdict == "succeeded" else self.failures + 1)

    def append(self, events: list[ScheduleEvent]) -> Append:
        return Append(
            aggregate=SCHEDULE.name, aggregate_id=self.schedule_id, expected_version=self.version, events=events
        )


class KnownJob(Message, frozen=True):
    """`request_id`, `correlation_id` and `traceparent` are the request's: everything about a job hangs together.
    `position` is the request's too: what was asked for earlier in the log comes first."""

    job_id: UUID
    workspace: str
    request_id: UUID
    correlation_id: UUID
    traceparent: str | None
    state: Job
    version: int
    position: int

    @staticmethod
    def fold(known: "KnownJob | None", recorded: Recorded) -> "KnownJob":
        return KnownJob(
            job_id=recorded.aggregate_id,
            workspace=recorded.workspace,
            request_id=known.request_id if known else recorded.event_id,
            correlation_id=known.correlation_id if known else recorded.correlation_id,
            traceparent=known.traceparent if known else recorded.traceparent,
            state=job.evolve(known.state if known else job.initial(), JOB.decode(recorded.data)),
            version=recorded.version,
            position=known.position if known else recorded.position,
        )

    def after(self, events: list[JobEvent]) -> "KnownJob":
        """What it becomes once `events` are appended."""
        state = reduce(job.evolve, events, self.state)
        return replace(self, state=state, version=self.version + len(events))

    @staticmethod
    async def load(log: EventLog, job_id: UUID) -> "KnownJob | None":
        known = None
        for recorded in await log.load(job_id):
            known = KnownJob.fold(known, recorded)
        return known

    def append(self, events: list[JobEvent], origin: Origin | None = None) -> Append:
        return Append(
            aggregate=JOB.name,
            aggregate_id=self.job_id,
            expected_version=self.version,
            events=events,
            origin=origin,
        )

    def origin(self, *, actor: str, at: datetime, causation_id: UUID | None) -> Origin:
        return Origin(
            workspace=self.workspace,
            actor=actor,
            at=at,
            correlation_id=self.correlation_id,
            causation_id=causation_id or self.request_id,
            traceparent=self.traceparent,
        )


class KnownHints(Message, frozen=True):
    library_id: UUID
    workspace: str
    state: Hints
    version: int

    @staticmethod
    def fold(known: "KnownHints | None", recorded: Recorded) -> "KnownHints":
        event = HINTS.decode(recorded.data)
        return KnownHints(
            library_id=event.library_id,
            workspace=recorded.workspace,
            state=hints.evolve(known.state if known else hints.initial(), event),
            version=recorded.version,
        )

    def append(self, events: list[HintEvent]) -> Append:
        aggregate_id = names.hints_of(self.library_id)
        return Append(aggregate=HINTS.name, aggregate_id=aggregate_id, expected_version=self.version, events=events)
