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
    ExpireDeadline,
    ExpireLease,
    JobCancelled,
    JobCommand,
    JobEvent,
    JobFailed,
    JobRequest,
    JobRequested,
    JobRetryScheduled,
    JobStarted,
    JobSucceeded,
    JobTimedOut,
    OutcomeIgnored,
    ReportFailure,
    ReportSuccess,
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
    """`attempt` may be claimed from `due` on."""

    facts: Facts
    attempt: int
    due: datetime
    heard: tuple[Heard, ...] = ()


class Running(Message, frozen=True, tag="running"):
    facts: Facts
    attempt: int
    worker: str
    lease: UUID
    deadline: datetime
    heard: tuple[Heard, ...] = ()


class Closed(Message, frozen=True, tag="closed"):
    """`verdict` is succeeded | failed | timed_out | cancelled, and final."""

    facts: Facts
    attempt: int
    verdict: str
    heard: tuple[Heard, ...] = ()


Job = Unrequested | Pending | Running | Closed


class ClaimRefused(Exception):
    """This attempt may not be run."""

    def __init__(self, why: str) -> None:
        """`why` is closed | superseded | taken | not_due | unknown."""
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
        case JobStarted(attempt=attempt, worker=worker, lease=lease, deadline=deadline):
            return Running(
                facts=job.facts, attempt=attempt, worker=worker, lease=lease, deadline=deadline, heard=job.heard
            )
        case JobRetryScheduled(next_attempt=attempt, due=due):
            return Pending(facts=job.facts, attempt=attempt, due=due, heard=_heard_failure(job, event.code))
        case JobSucceeded():
            return _closed(job, "succeeded", _heard(job, "succeeded"))
        case JobFailed(code=code):
            return _closed(job, "failed", _heard_failure(job, code))
        case JobTimedOut():
            return _closed(job, "timed_out", job.heard)
        case JobCancelled():
            return _closed(job, "cancelled", job.heard)
        case OutcomeIgnored(attempt=attempt, lease=lease, outcome=outcome):
            return replace(job, heard=(*job.heard, Heard(attempt=attempt, lease=lease, outcome=outcome)))
        case _:
            assert_never(event)


def decide(command: JobCommand, job: Job) -> list[JobEvent]:
    """Raises ClaimRefused, for StartAttempt only."""
    match command:
        case StartAttempt():
            return _start(command, job)
        case ReportSuccess() | ReportFailure():
            return _report(command, job)
        case ExpireLease(attempt=attempt, lease=lease, at=at):
            if isinstance(job, Running) and (job.attempt, job.lease) == (attempt, lease):
                return [_lease_lost(job, at)]
            return []
        case ExpireDeadline(attempt=attempt, worked_until=worked_until, at=at):
            if isinstance(job, Running) and job.attempt == attempt and job.deadline <= worked_until:
                return [JobTimedOut(job_id=job.facts.job_id, attempt=attempt, at=at)]
            return []
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
                )
            ]
        case _:
            assert_never(job)


def _report(command: ReportSuccess | ReportFailure, job: Job) -> list[JobEvent]:
    if isinstance(job, Unrequested):
        return []
    outcome = "succeeded" if isinstance(command, ReportSuccess) else "failed"
    attempt, lease, job_id = command.attempt, command.lease, job.facts.job_id
    if Heard(attempt=attempt, lease=lease, outcome=outcome) in job.heard:
        return []
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
    delay_s = delays[min(job.attempt, len(delays)) - 1]
    return _retry(job, command.at, code, command.message, due=command.at + timedelta(seconds=delay_s))


def _lease_lost(job: Running, at: datetime) -> JobRetryScheduled | JobFailed:
    message = f"worker {job.worker} gave no sign of life"
    if _is_last(job):
        return _failure(job, at, LEASE_LOST, message)
    return _retry(job, at, LEASE_LOST, message, due=at)


def _is_last(job: Running) -> bool:
    return job.attempt > job.facts.policy.max_retries


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


def _closed(job: Pending | Running | Closed, verdict: str, heard: tuple[Heard, ...]) -> Closed:
    return Closed(facts=job.facts, attempt=job.attempt, verdict=verdict, heard=heard)


def _heard_failure(job: Pending | Running | Closed, code: str) -> tuple[Heard, ...]:
    return job.heard if code == LEASE_LOST else _heard(job, "failed")


def _heard(job: Pending | Running | Closed, outcome: str) -> tuple[Heard, ...]:
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
