"""What a job can be, and how events change it."""

from datetime import datetime
from typing import assert_never
from uuid import UUID

from msgspec import Raw
from msgspec.structs import replace

from linstock.messages.job import (
    LIBRARY_SCAN,
    After,
    JobCancelled,
    JobCheckpointed,
    JobDeferred,
    JobEvent,
    JobFailed,
    JobPaused,
    JobReleased,
    JobRequest,
    JobRequested,
    JobResumed,
    JobRetryScheduled,
    JobSnoozed,
    JobStarted,
    JobSucceeded,
    JobTimedOut,
    OutcomeIgnored,
    ScanRequested,
)
from linstock.messages.message import NOTHING, Message
from linstock.messages.schedule import JobPolicy

LEASE_LOST = "lease_lost"
HINT = "Hint"  # who asked for it
HEARD_LIMIT = 64  # outcomes remembered per job; beyond that, one that does not count is not recorded either


class Heard(Message, frozen=True, array_like=True):
    """One outcome that was recorded already."""

    attempt: int
    lease: UUID
    outcome: str


class Facts(Message, frozen=True):
    """What its request said, without the payload."""

    job_id: UUID
    job_type: str
    queue: str
    policy: JobPolicy
    requested_at: datetime
    schedule_id: UUID | None
    library_id: UUID | None
    waits: bool = False  # while an earlier job of the library is open
    hinted: bool = False  # no schedule's instant is left out because of it
    serves: UUID | None = None  # a library whose scans do not wait for it


class Unrequested(Message, frozen=True, tag="unrequested"):
    """No such job."""


class Awaiting(Message, frozen=True, tag="awaiting"):
    """No attempt may be claimed before all of `after` have ended as they have to; nor before `due`."""

    facts: Facts
    after: tuple[After, ...]
    due: datetime
    attempt: int = 1
    heard: tuple[Heard, ...] = ()


class Pending(Message, frozen=True, tag="pending"):
    """`attempt` may be claimed from `due` on. `device`: it waits until fewer than `device_limit` run there. `pauses`
    (snoozes are some) have each ended an attempt that is no failed one. `checkpoint` is the last that was kept."""

    facts: Facts
    attempt: int
    due: datetime
    heard: tuple[Heard, ...] = ()
    pauses: int = 0
    device: str = ""
    device_limit: int = 0
    checkpoint: Raw = NOTHING


class Running(Message, frozen=True, tag="running"):
    facts: Facts
    attempt: int
    worker: str
    lease: UUID
    deadline: datetime
    heard: tuple[Heard, ...] = ()
    pauses: int = 0
    device: str = ""
    checkpoint: Raw = NOTHING


class Paused(Message, frozen=True, tag="paused"):
    """`attempt` may be claimed once it is resumed, not before `due`. `ended` is the attempt that ran until then, and
    its lease: it may have completed just before."""

    facts: Facts
    attempt: int
    due: datetime
    heard: tuple[Heard, ...] = ()
    pauses: int = 0
    ended: tuple[int, UUID] | None = None
    checkpoint: Raw = NOTHING


class Closed(Message, frozen=True, tag="closed"):
    """`verdict` is succeeded | failed | timed_out | cancelled, and final."""

    facts: Facts
    attempt: int
    verdict: str
    heard: tuple[Heard, ...] = ()


Job = Unrequested | Awaiting | Pending | Running | Paused | Closed
Open = Awaiting | Pending | Running | Paused


class ClaimRefused(Exception):
    """This attempt may not be run."""

    def __init__(self, why: str) -> None:
        """`why` is closed | superseded | taken | not_due | paused | waits | unknown."""
        super().__init__(why)
        self.why = why


def initial() -> Job:
    return Unrequested()


def evolve(job: Job, event: JobEvent) -> Job:
    match event:
        case ScanRequested() | JobRequested():
            return _requested(event)
        case _ if isinstance(job, Unrequested):
            return job
        case JobReleased(parent=parent, at=at):
            return _released(job, parent, at)
        case JobStarted():
            return _running(job, event)
        case JobRetryScheduled() | JobSnoozed():
            return _again(job, event)
        case JobCheckpointed(data=data):
            # A copy: it must not keep the whole event in memory.
            return replace(job, checkpoint=Raw(bytes(data))) if isinstance(job, Running) else job
        case JobDeferred() | JobPaused() | JobResumed():
            return _rested(job, event)
        case JobSucceeded() | JobFailed() | JobTimedOut() | JobCancelled():
            return _ended(job, event)
        case OutcomeIgnored(attempt=attempt, lease=lease, outcome=outcome):
            return replace(job, heard=(*job.heard, Heard(attempt=attempt, lease=lease, outcome=outcome)))
        case _:
            assert_never(event)


def _requested(request: JobRequest) -> Pending | Awaiting:
    facts, due = _facts(request), _due(request)
    if isinstance(request, JobRequested) and request.after:
        return Awaiting(facts=facts, after=request.after, due=due)
    return Pending(facts=facts, attempt=1, due=due)


def _released(job: Open | Closed, parent: UUID, at: datetime) -> Job:
    if not isinstance(job, Awaiting):
        return job
    after, due = tuple(each for each in job.after if each.job_id != parent), max(job.due, at)
    if after:
        return replace(job, after=after, due=due)
    return Pending(facts=job.facts, attempt=1, due=due, heard=job.heard)


def _again(job: Open | Closed, event: JobRetryScheduled | JobSnoozed) -> Pending:
    return Pending(
        facts=job.facts,
        attempt=event.next_attempt,
        due=event.due,
        heard=_heard(job, "snoozed") if isinstance(event, JobSnoozed) else _heard_failure(job, event.code),
        pauses=_pauses(job) + isinstance(event, JobSnoozed),
        checkpoint=_kept(job),
    )


def _rested(job: Open | Closed, event: JobDeferred | JobPaused | JobResumed) -> Job:
    match event:
        case JobDeferred(device=device, limit=limit):
            return replace(job, device=device, device_limit=limit) if isinstance(job, Pending) else job
        case JobPaused():
            return _paused(job, event)
        case JobResumed(attempt=attempt, at=at):
            due = max(job.due, at) if isinstance(job, Paused) else at
            return Pending(
                facts=job.facts, attempt=attempt, due=due, heard=job.heard, pauses=_pauses(job), checkpoint=_kept(job)
            )


def _ended(job: Open | Closed, event: JobSucceeded | JobFailed | JobTimedOut | JobCancelled) -> Closed:
    match event:
        case JobSucceeded():
            return _closed(job, "succeeded", _heard(job, "succeeded"))
        case JobFailed(code=code):
            return _closed(job, "failed", _heard_failure(job, code))
        case JobTimedOut():
            return _closed(job, "timed_out", job.heard)
        case JobCancelled():
            return _closed(job, "cancelled", job.heard)


def _running(job: Open | Closed, event: JobStarted) -> Running:
    return Running(
        facts=job.facts,
        attempt=event.attempt,
        worker=event.worker,
        lease=event.lease,
        deadline=event.deadline,
        heard=job.heard,
        pauses=_pauses(job),
        device=event.device,
        checkpoint=_kept(job),
    )


def _paused(job: Open | Closed, event: JobPaused) -> Paused:
    ended = (job.attempt, job.lease) if isinstance(job, Running) else None
    return Paused(
        facts=job.facts,
        attempt=event.next_attempt,
        due=job.due if isinstance(job, Pending) else event.at,
        heard=job.heard,
        pauses=_pauses(job) + (event.next_attempt > event.attempt),
        ended=ended,
        checkpoint=_kept(job),
    )


def _kept(job: Open | Closed) -> Raw:
    return NOTHING if isinstance(job, Awaiting | Closed) else job.checkpoint


def _pauses(job: Open | Closed) -> int:
    return 0 if isinstance(job, Awaiting | Closed) else job.pauses


def _closed(job: Open | Closed, verdict: str, heard: tuple[Heard, ...]) -> Closed:
    return Closed(facts=job.facts, attempt=job.attempt, verdict=verdict, heard=heard)


def _heard_failure(job: Open | Closed, code: str) -> tuple[Heard, ...]:
    return job.heard if code == LEASE_LOST else _heard(job, "failed")


def _heard(job: Open | Closed, outcome: str) -> tuple[Heard, ...]:
    """The outcome that counted is remembered too: hearing it again is nothing new. The oldest are forgotten: a job may
    snooze for ever."""
    match job:
        case Running(attempt=attempt, lease=lease) | Paused(ended=(attempt, lease)):
            return (*job.heard, Heard(attempt=attempt, lease=lease, outcome=outcome))[-HEARD_LIMIT:]
        case _:
            return job.heard


def _facts(request: JobRequest) -> Facts:
    return Facts(
        job_id=request.job_id,
        job_type=LIBRARY_SCAN if isinstance(request, ScanRequested) else request.job_type,
        queue=request.queue,
        policy=request.policy,
        requested_at=request.requested_at,
        schedule_id=request.schedule_id,
        library_id=request.target.library_id if isinstance(request, ScanRequested) else None,
        waits=isinstance(request, ScanRequested) and request.waits,
        hinted=isinstance(request, ScanRequested) and request.triggered_by == HINT,
        serves=request.library_id if isinstance(request, JobRequested) else None,
    )


def _due(request: JobRequest) -> datetime:
    return request.not_before or request.requested_at
