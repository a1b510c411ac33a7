"""What a job may do. Pure: claims, leases, the dispatcher and the log are elsewhere.

A claim grants one attempt to one lease. Outcomes count for the current attempt and lease only, the first one wins,
and whatever comes later is recorded once and changes nothing. Every job ends in exactly one final verdict.
"""

from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from msgspec.structs import replace

from linstock.messages.job import (
    LIBRARY_SCAN,
    CancelJob,
    DeferAttempt,
    ExpireDeadline,
    ExpireLease,
    JobCancelled,
    JobCommand,
    JobDeferred,
    JobEvent,
    JobFailed,
    JobPaused,
    JobRequest,
    JobRequested,
    JobResumed,
    JobRetryScheduled,
    JobStarted,
    JobSucceeded,
    JobTimedOut,
    OutcomeIgnored,
    PauseJob,
    ReportFailure,
    ReportSuccess,
    ResumeJob,
    ScanRequested,
    StartAttempt,
)
from linstock.messages.message import Message
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


class Pending(Message, frozen=True, tag="pending"):
    """`attempt` may be claimed from `due` on. `device`: it waits until fewer than `device_limit` run there. `pauses`
    have each ended an attempt that is no failed one."""

    facts: Facts
    attempt: int
    due: datetime
    heard: tuple[Heard, ...] = ()
    pauses: int = 0
    device: str = ""
    device_limit: int = 0


class Running(Message, frozen=True, tag="running"):
    facts: Facts
    attempt: int
    worker: str
    lease: UUID
    deadline: datetime
    heard: tuple[Heard, ...] = ()
    pauses: int = 0
    device: str = ""


class Paused(Message, frozen=True, tag="paused"):
    """`attempt` may be claimed once it is resumed, not before `due`. `ended` is the attempt that ran until then, and
    its lease: it may have completed just before."""

    facts: Facts
    attempt: int
    due: datetime
    heard: tuple[Heard, ...] = ()
    pauses: int = 0
    ended: tuple[int, UUID] | None = None


class Closed(Message, frozen=True, tag="closed"):
    """`verdict` is succeeded | failed | timed_out | cancelled, and final."""

    facts: Facts
    attempt: int
    verdict: str
    heard: tuple[Heard, ...] = ()


Job = Unrequested | Pending | Running | Paused | Closed
Open = Pending | Running | Paused


class ClaimRefused(Exception):
    """This attempt may not be run."""

    def __init__(self, why: str) -> None:
        """`why` is closed | superseded | taken | not_due | paused | unknown."""
        super().__init__(why)
        self.why = why


def initial() -> Job:
    return Unrequested()


def evolve(job: Job, event: JobEvent) -> Job:
    match event:
        case ScanRequested() | JobRequested():
            return Pending(facts=_facts(event), attempt=1, due=_due(event))
        case _ if isinstance(job, Unrequested):
            return job
        case JobStarted():
            return _running(job, event)
        case JobRetryScheduled(next_attempt=attempt, due=due):
            heard = _heard_failure(job, event.code)
            return Pending(facts=job.facts, attempt=attempt, due=due, heard=heard, pauses=_pauses(job))
        case JobDeferred() | JobPaused() | JobResumed():
            return _rested(job, event)
        case JobSucceeded() | JobFailed() | JobTimedOut() | JobCancelled():
            return _ended(job, event)
        case OutcomeIgnored(attempt=attempt, lease=lease, outcome=outcome):
            return replace(job, heard=(*job.heard, Heard(attempt=attempt, lease=lease, outcome=outcome)))
        case _:
            assert_never(event)


def decide(command: JobCommand, job: Job) -> list[JobEvent]:
    """Raises ClaimRefused, for StartAttempt only."""
    match command:
        case StartAttempt():
            return _start(command, job)
        case DeferAttempt():
            return _defer(command, job)
        case ReportSuccess() | ReportFailure():
            return _report(command, job)
        case PauseJob():
            return _pause(command, job)
        case ResumeJob():
            return _resume(command, job)
        case ExpireLease() | ExpireDeadline():
            return _expire(command, job)
        case CancelJob(reason=reason, at=at):
            if isinstance(job, Unrequested | Closed):
                return []
            return [JobCancelled(job_id=job.facts.job_id, attempt=job.attempt, at=at, reason=reason)]
        case _:
            assert_never(command)


def _start(command: StartAttempt, job: Job) -> list[JobEvent]:
    match job:
        case Unrequested():
            raise ClaimRefused("unknown")
        case Closed():
            raise ClaimRefused("closed")
        case Paused():
            raise ClaimRefused("paused")
        case _ if command.attempt != job.attempt:
            raise ClaimRefused("superseded")
        case Running(lease=lease):
            if lease != command.lease:
                raise ClaimRefused("taken")
            return []  # asked again: the same yes
        case Pending(facts=facts, due=due):
            if command.at < due:
                raise ClaimRefused("not_due")
            return [
                JobStarted(
                    job_id=facts.job_id,
                    attempt=command.attempt,
                    worker=command.worker,
                    lease=command.lease,
                    at=command.at,
                    deadline=command.at + timedelta(seconds=facts.policy.timeout_s),
                    device=command.device,
                )
            ]
        case _:
            assert_never(job)


def _defer(command: DeferAttempt, job: Job) -> list[JobEvent]:
    if not isinstance(job, Pending) or job.attempt != command.attempt or job.device == command.device:
        return []
    return [
        JobDeferred(
            job_id=job.facts.job_id,
            attempt=job.attempt,
            device=command.device,
            limit=command.limit,
            at=command.at,
        )
    ]


def _pause(command: PauseJob, job: Job) -> list[JobEvent]:
    if not isinstance(job, Pending | Running):
        return []
    ends = isinstance(job, Running)
    return [
        JobPaused(
            job_id=job.facts.job_id,
            attempt=job.attempt,
            next_attempt=job.attempt + ends,
            reason=command.reason,
            at=command.at,
        )
    ]


def _resume(command: ResumeJob, job: Job) -> list[JobEvent]:
    if not isinstance(job, Paused):
        return []
    return [JobResumed(job_id=job.facts.job_id, attempt=job.attempt, reason=command.reason, at=command.at)]


def _expire(command: ExpireLease | ExpireDeadline, job: Job) -> list[JobEvent]:
    if not isinstance(job, Running) or job.attempt != command.attempt:
        return []
    if isinstance(command, ExpireLease):
        return [_lease_lost(job, command.at)] if job.lease == command.lease else []
    if job.deadline > command.worked_until:
        return []
    return [JobTimedOut(job_id=job.facts.job_id, attempt=job.attempt, at=command.at)]


def _report(command: ReportSuccess | ReportFailure, job: Job) -> list[JobEvent]:
    if isinstance(job, Unrequested):
        return []
    outcome = "succeeded" if isinstance(command, ReportSuccess) else "failed"
    attempt, lease, job_id = command.attempt, command.lease, job.facts.job_id
    if Heard(attempt=attempt, lease=lease, outcome=outcome) in job.heard:
        return []
    if isinstance(job, Paused) and job.ended == (attempt, lease) and isinstance(command, ReportSuccess):
        return [JobSucceeded(job_id=job_id, attempt=attempt, at=command.at, result=command.result)]
    if not isinstance(job, Running) or (job.attempt, job.lease) != (attempt, lease):
        if len(job.heard) >= HEARD_LIMIT:
            return []
        return [OutcomeIgnored(job_id=job_id, attempt=attempt, lease=lease, outcome=outcome, at=command.at)]
    if isinstance(command, ReportSuccess):
        return [JobSucceeded(job_id=job_id, attempt=attempt, at=command.at, result=command.result)]
    return [_failed(command, job)]


def _failed(command: ReportFailure, job: Running) -> JobRetryScheduled | JobFailed:
    # The code that says nobody reported is ours alone: a report under it must still count as heard.
    code = "reported_lease_lost" if command.code == LEASE_LOST else command.code
    if command.final or _is_last(job):
        return _failure(job, command.at, code, command.message)
    delays = job.facts.policy.retry_delays_s or (0,)
    delay_s = delays[min(job.attempt - job.pauses, len(delays)) - 1]
    return _retry(job, command.at, code, command.message, due=command.at + timedelta(seconds=delay_s))


def _lease_lost(job: Running, at: datetime) -> JobRetryScheduled | JobFailed:
    message = f"worker {job.worker} gave no sign of life"
    if _is_last(job):
        return _failure(job, at, LEASE_LOST, message)
    return _retry(job, at, LEASE_LOST, message, due=at)


def _is_last(job: Running) -> bool:
    return job.attempt - job.pauses > job.facts.policy.max_retries


def _failure(job: Running, at: datetime, code: str, message: str) -> JobFailed:
    return JobFailed(job_id=job.facts.job_id, attempt=job.attempt, at=at, code=code, message=message)


def _retry(job: Running, at: datetime, code: str, message: str, *, due: datetime) -> JobRetryScheduled:
    return JobRetryScheduled(
        job_id=job.facts.job_id,
        attempt=job.attempt,
        next_attempt=job.attempt + 1,
        due=due,
        code=code,
        message=message,
        at=at,
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


def _rested(job: Open | Closed, event: JobDeferred | JobPaused | JobResumed) -> Job:
    match event:
        case JobDeferred(device=device, limit=limit):
            return replace(job, device=device, device_limit=limit) if isinstance(job, Pending) else job
        case JobPaused():
            return _paused(job, event)
        case JobResumed(attempt=attempt, at=at):
            due = max(job.due, at) if isinstance(job, Paused) else at
            return Pending(facts=job.facts, attempt=attempt, due=due, heard=job.heard, pauses=_pauses(job))


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
    )


def _pauses(job: Open | Closed) -> int:
    return 0 if isinstance(job, Closed) else job.pauses


def _closed(job: Open | Closed, verdict: str, heard: tuple[Heard, ...]) -> Closed:
    return Closed(facts=job.facts, attempt=job.attempt, verdict=verdict, heard=heard)


def _heard_failure(job: Open | Closed, code: str) -> tuple[Heard, ...]:
    return job.heard if code == LEASE_LOST else _heard(job, "failed")


def _heard(job: Open | Closed, outcome: str) -> tuple[Heard, ...]:
    """The outcome that counted is remembered too: hearing it again is nothing new."""
    if not isinstance(job, Running):
        return job.heard
    return (*job.heard, Heard(attempt=job.attempt, lease=job.lease, outcome=outcome))


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
    later = request.not_before if isinstance(request, ScanRequested) else None
    return later or request.requested_at
