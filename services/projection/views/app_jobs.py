"""Jobs of applications, and how many there are of each kind. From the scheduler log.

Built-in jobs are runs (`jobs.py`); they are counted with what asks for them.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.job import (
    BUILT_IN,
    JobCancelled,
    JobFailed,
    JobReleased,
    JobRequested,
    JobRetryScheduled,
    JobSnoozed,
    JobStarted,
    JobSucceeded,
    JobTimedOut,
)
from linstock.statuses import CANCELLED, COMPLETED, ENDED, FAILED, PENDING, RETRYING, RUNNING, SCHEDULED, TIMEOUT
from services.projection.fact import Fact
from services.projection.rows import Rows
from services.projection.sums import Sums

FILED = {"dead": "dead", "hide": "hidden"}

Later = (
    JobReleased | JobStarted | JobRetryScheduled | JobSnoozed | JobSucceeded | JobFailed | JobTimedOut | JobCancelled
)
Verdict = JobSucceeded | JobFailed | JobTimedOut | JobCancelled


class AppJob(Struct, frozen=True):
    """One that waits for its time is Scheduled, and stays so until it starts; `due` says from when on it waits for a
    worker. `attempt` is the last that started, `retries` how many followed a failure. `filed`: where it was put for
    good."""

    job_id: UUID
    workspace: str
    ordinal: int
    job_type: str
    name: str
    queue: str
    status: str
    requested_at: datetime
    requested_by: str
    triggered_by: str
    payload: str
    payload_version: int
    priority: int
    timeout_s: int
    max_retries: int
    exhausted: str
    attempt: int = 0
    retries: int = 0
    waits_for: str | None = None
    unique_key: str | None = None
    retry_of: UUID | None = None
    retried_as: UUID | None = None
    worker: str | None = None
    due: datetime | None = None
    started_at: datetime | None = None
    attempt_started_at: datetime | None = None
    deadline: datetime | None = None
    ended_at: datetime | None = None
    code: str | None = None
    message: str | None = None
    result: str | None = None
    filed: str | None = None


class AppJobCount(Struct, frozen=True):
    """Kept ones: those that are forgotten are not counted any more."""

    workspace: str
    job_type: str
    queue: str
    status: str
    jobs: int


def rows() -> Rows[AppJob]:
    return Rows("app_jobs", AppJob, key=("job_id",))


def counts() -> Sums[AppJobCount]:
    return Sums("app_job_counts", AppJobCount, key=("workspace", "job_type", "queue", "status"))


def reads(fact: Fact) -> Iterable[UUID]:
    match fact.event:
        case JobRequested(retry_of=retry_of):
            return () if retry_of is None else (retry_of,)
        case event:
            return (event.job_id,) if isinstance(event, Later) else ()


def fold(jobs: Rows[AppJob], counted: Sums[AppJobCount], fact: Fact) -> None:
    event = fact.event
    if isinstance(event, JobRequested):
        if event.job_type not in BUILT_IN:
            _put(jobs, counted, None, _requested(fact, event))
            again = jobs.get(event.retry_of)
            if again is not None:
                jobs.put(replace(again, retried_as=event.job_id))
        return
    if not isinstance(event, Later):
        return
    job = jobs.get(event.job_id)
    if job is not None and job.status not in ENDED:
        _put(jobs, counted, job, _moved(job, event))


def _put(jobs: Rows[AppJob], counted: Sums[AppJobCount], before: AppJob | None, after: AppJob) -> None:
    jobs.put(after)
    if before is None or before.status != after.status:
        counted.add((after.workspace, after.job_type, after.queue, after.status), 1)
        if before is not None:
            counted.add((before.workspace, before.job_type, before.queue, before.status), -1)


def _requested(fact: Fact, event: JobRequested) -> AppJob:
    return AppJob(
        job_id=event.job_id,
        workspace=fact.workspace,
        ordinal=fact.position,
        job_type=event.job_type,
        name=event.name,
        queue=event.queue,
        status=SCHEDULED if event.not_before else PENDING,
        requested_at=event.requested_at,
        requested_by=fact.actor,
        triggered_by=event.triggered_by,
        payload=bytes(event.payload).decode(),
        payload_version=event.payload_version,
        priority=event.policy.priority,
        timeout_s=event.policy.timeout_s,
        max_retries=event.policy.max_retries,
        exhausted=event.policy.exhausted,
        waits_for=msgspec.json.encode(event.after).decode() if event.after else None,
        unique_key=event.unique_key or None,
        retry_of=event.retry_of,
        due=event.not_before,
    )


def _moved(job: AppJob, event: Later) -> AppJob:
    match event:
        case JobReleased(parent=parent, at=at):
            return _released(job, parent, at)
        case JobStarted():
            return _started(job, event)
        case JobRetryScheduled():
            return replace(
                job,
                status=RETRYING,
                retries=job.retries + 1,
                due=event.due,
                code=event.code,
                message=event.message,
                deadline=None,
                worker=None,
            )
        case JobSnoozed(due=due, reason=reason):
            return replace(job, status=SCHEDULED, due=due, code="snoozed", message=reason, deadline=None, worker=None)
        case _:
            return _ended(job, event)


def _released(job: AppJob, parent: UUID, at: datetime) -> AppJob:
    waits = msgspec.json.decode(job.waits_for or "[]", type=list[dict[str, str]])
    left = [each for each in waits if each["jobId"] != str(parent)]
    due = job.due if left or (job.due and job.due > at) else at
    return replace(job, waits_for=msgspec.json.encode(left).decode() if left else None, due=due)


def _started(job: AppJob, event: JobStarted) -> AppJob:
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


def _ended(job: AppJob, verdict: Verdict) -> AppJob:
    job = replace(job, attempt=max(job.attempt, verdict.attempt), due=None, deadline=None, ended_at=verdict.at)
    match verdict:
        case JobSucceeded(result=result):
            return replace(job, status=COMPLETED, code=None, message=None, result=bytes(result).decode())
        case JobFailed(code=code, message=message):
            return replace(job, status=FAILED, code=code, message=message, filed=FILED.get(job.exhausted))
        case JobTimedOut():
            said = f"Attempt {verdict.attempt} took longer than {job.timeout_s} s"
            return replace(job, status=TIMEOUT, code="timeout", message=said, filed=FILED.get(job.exhausted))
        case JobCancelled(reason=reason):
            return replace(job, status=CANCELLED, code="cancelled", message=reason)
