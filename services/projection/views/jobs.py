"""Jobs, which are also the runs of a schedule and the job half of a scan. From the scheduler log."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.job import (
    LIBRARY_SCAN,
    JobCancelled,
    JobFailed,
    JobRequested,
    JobRetryScheduled,
    JobStarted,
    JobSucceeded,
    JobTimedOut,
    ScanRequested,
)
from services.projection.fact import Fact
from services.projection.rows import Rows

PENDING, RUNNING, RETRYING = "Pending", "Running", "Retrying"
COMPLETED, FAILED, TIMEOUT, CANCELLED = "Completed", "Failed", "Timeout", "Cancelled"
ENDED = frozenset({COMPLETED, FAILED, TIMEOUT, CANCELLED})

Verdict = JobSucceeded | JobFailed | JobTimedOut | JobCancelled


class Job(Struct, frozen=True):
    """`started_at` is the first attempt's; `due` is when the next attempt may start."""

    job_id: UUID
    workspace: str
    job_type: str
    queue: str
    schedule_id: UUID | None
    library_id: UUID | None
    library_name: str | None
    library_path: str | None
    instant: datetime | None
    triggered_by: str
    requested_at: datetime
    priority: int
    timeout_s: int
    max_retries: int
    status: str = PENDING
    attempt: int = 0
    worker: str | None = None
    started_at: datetime | None = None
    attempt_started_at: datetime | None = None
    deadline: datetime | None = None
    due: datetime | None = None
    ended_at: datetime | None = None
    code: str | None = None
    message: str | None = None
    result: str | None = None


def rows() -> Rows[Job]:
    return Rows("jobs", Job, key=("job_id",))


def job_id_of(fact: Fact) -> UUID | None:
    """The job that an event after its request is about."""
    match fact.event:
        case (
            JobStarted() | JobRetryScheduled() | JobSucceeded() | JobFailed() | JobTimedOut() | JobCancelled() as event
        ):
            return event.job_id
        case _:
            return None


def reads(fact: Fact) -> Iterable[UUID]:
    job_id = job_id_of(fact)
    return () if job_id is None else (job_id,)


def fold(jobs: Rows[Job], fact: Fact) -> None:
    match fact.event:
        case ScanRequested() as event:
            jobs.put(_scan(event, fact))
        case JobRequested() as event:
            jobs.put(_job(event, fact))
        case JobStarted() as event:
            if job := jobs.get(event.job_id):
                jobs.put(_started(job, event))
        case JobRetryScheduled() as event:
            if job := jobs.get(event.job_id):
                jobs.put(replace(job, status=RETRYING, due=event.due, code=event.code, message=event.message))
        case JobSucceeded() | JobFailed() | JobTimedOut() | JobCancelled() as event:
            job = jobs.get(event.job_id)
            if job and job.status not in ENDED:
                jobs.put(ended(job, event))
        case _:
            return


def ended(job: Job, verdict: Verdict) -> Job:
    job = replace(job, attempt=max(job.attempt, verdict.attempt), due=None, deadline=None, ended_at=verdict.at)
    match verdict:
        case JobSucceeded():
            return replace(job, status=COMPLETED, code=None, message=None, result=bytes(verdict.result).decode())
        case JobFailed():
            return replace(job, status=FAILED, code=verdict.code, message=verdict.message)
        case JobTimedOut():
            message = f"Attempt {verdict.attempt} took longer than {job.timeout_s} s"
            return replace(job, status=TIMEOUT, code="timeout", message=message)
        case JobCancelled():
            return replace(job, status=CANCELLED, code="cancelled", message=verdict.reason)


def _started(job: Job, event: JobStarted) -> Job:
    return replace(
        job,
        status=RUNNING,
        attempt=event.attempt,
        worker=event.worker,
        started_at=job.started_at or event.at,
        attempt_started_at=event.at,
        deadline=event.deadline,
        due=None,
        code=None,
        message=None,
    )


def _scan(event: ScanRequested, fact: Fact) -> Job:
    return Job(
        job_id=event.job_id,
        workspace=fact.workspace,
        job_type=LIBRARY_SCAN,
        queue=event.queue,
        schedule_id=event.schedule_id,
        library_id=event.target.library_id,
        library_name=event.target.library_name,
        library_path=event.target.library_path,
        instant=event.instant,
        triggered_by=event.triggered_by,
        requested_at=event.requested_at,
        priority=event.policy.priority,
        timeout_s=event.policy.timeout_s,
        max_retries=event.policy.max_retries,
    )


def _job(event: JobRequested, fact: Fact) -> Job:
    return Job(
        job_id=event.job_id,
        workspace=fact.workspace,
        job_type=event.job_type,
        queue=event.queue,
        schedule_id=event.schedule_id,
        library_id=None,
        library_name=None,
        library_path=None,
        instant=event.instant,
        triggered_by=event.triggered_by,
        requested_at=event.requested_at,
        priority=event.policy.priority,
        timeout_s=event.policy.timeout_s,
        max_retries=event.policy.max_retries,
    )
