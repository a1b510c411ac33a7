"""Jobs, which are also the runs of a schedule and the job half of a scan. From the scheduler log."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.job import (
    LIBRARY_SCAN,
    JobCancelled,
    JobCheckpointed,
    JobDeferred,
    JobFailed,
    JobPaused,
    JobReleased,
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
from linstock.messages.message import Message
from linstock.statuses import CANCELLED, COMPLETED, ENDED, FAILED, PAUSED, PENDING, RETRYING, RUNNING, TIMEOUT
from services.projection.fact import Fact
from services.projection.rows import Rows

Verdict = JobSucceeded | JobFailed | JobTimedOut | JobCancelled


class Ordinals(Struct, frozen=True):
    """A run's numbers in its workspace, schedule and library: from 1, in the order of the log."""

    workspace: int
    schedule: int | None
    library: int | None


class Job(Struct, frozen=True):
    """`started_at` is the first attempt's; `due` is when the next attempt may start. `ordinal` is the workspace's.
    `scope` is JSON; None: all of the library. `paused` is JSON too. `device` is where an attempt runs, or would if
    fewer than `device_limit` did."""

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
    ordinal: int
    schedule_ordinal: int | None
    library_ordinal: int | None
    scan_mode: str | None
    requested_by: str
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
    scope: str | None = None
    dry_run: bool = False
    paused: str | None = None
    device: str | None = None
    device_limit: int | None = None


class Pause(Message, frozen=True):
    by: str
    at: datetime
    reason: str


class Change(Struct, frozen=True):
    """What one event did to a job: a new one has no `before`."""

    before: Job | None
    after: Job


def rows() -> Rows[Job]:
    return Rows("jobs", Job, key=("job_id",))


def job_id_of(fact: Fact) -> UUID | None:
    """The job that an event after its request is about."""
    match fact.event:
        case (
            JobReleased()
            | JobSnoozed()
            | JobCheckpointed()
            | JobStarted()
            | JobDeferred()
            | JobPaused()
            | JobResumed()
            | JobRetryScheduled()
            | JobSucceeded()
            | JobFailed()
            | JobTimedOut()
            | JobCancelled() as event
        ):
            return event.job_id
        case _:
            return None


def reads(fact: Fact) -> Iterable[UUID]:
    """Also of an ignored outcome, which changes no job: the feed says whose library each event is about."""
    job_id = fact.event.job_id if isinstance(fact.event, OutcomeIgnored) else job_id_of(fact)
    return () if job_id is None else (job_id,)


def fold(jobs: Rows[Job], ordinals: Ordinals | None, fact: Fact) -> Change | None:
    """`ordinals` are the run's, if the event asks for one. None: nothing changed."""
    if ordinals is not None:
        change = Change(None, _requested(fact, ordinals))
    else:
        job_id = job_id_of(fact)
        before = None if job_id is None else jobs.get(job_id)
        if before is None or (after := _moved(before, fact)) is None:
            return None
        change = Change(before, after)
    jobs.put(change.after)
    return change


def _moved(job: Job, fact: Fact) -> Job | None:
    event = fact.event
    if job.status in ENDED:
        return None
    match event:
        case JobStarted():
            return _started(job, event)
        case JobDeferred(device=device, limit=limit):
            return replace(job, device=device, device_limit=limit)
        case JobPaused(reason=reason, at=at):
            pause = msgspec.json.encode(Pause(by=fact.actor, at=at, reason=reason)).decode()
            return replace(job, status=PAUSED, paused=pause, deadline=None, device=None, device_limit=None)
        case JobResumed():
            return replace(job, status=RETRYING if job.started_at else PENDING, paused=None)
        case JobRetryScheduled():
            return replace(
                job,
                status=RETRYING,
                due=event.due,
                code=event.code,
                message=event.message,
                device=None,
                device_limit=None,
            )
        case JobSucceeded() | JobFailed() | JobTimedOut() | JobCancelled():
            return _ended(job, event)
        case _:
            return None


def _ended(job: Job, verdict: Verdict) -> Job:
    job = replace(
        job,
        attempt=max(job.attempt, verdict.attempt),
        due=None,
        deadline=None,
        ended_at=verdict.at,
        paused=None,
        device=None,
        device_limit=None,
    )
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
        device=event.device or None,
        device_limit=None,
    )


def _requested(fact: Fact, ordinals: Ordinals) -> Job:
    event = fact.event
    assert isinstance(event, ScanRequested | JobRequested)
    target = event.target if isinstance(event, ScanRequested) else None
    return Job(
        job_id=event.job_id,
        workspace=fact.workspace,
        job_type=event.job_type if isinstance(event, JobRequested) else LIBRARY_SCAN,
        queue=event.queue,
        schedule_id=event.schedule_id,
        library_id=event.library_id if isinstance(event, JobRequested) else event.target.library_id,
        library_name=target.library_name if target else None,
        library_path=target.library_path if target else None,
        instant=event.instant,
        triggered_by=event.triggered_by,
        requested_at=event.requested_at,
        priority=event.policy.priority,
        timeout_s=event.policy.timeout_s,
        max_retries=event.policy.max_retries,
        ordinal=ordinals.workspace,
        schedule_ordinal=ordinals.schedule,
        library_ordinal=ordinals.library,
        scan_mode=event.scan_mode if isinstance(event, ScanRequested) else None,
        requested_by=fact.actor,
        scope=msgspec.json.encode(event.scope).decode() if isinstance(event, ScanRequested) and event.scope else None,
        dry_run=isinstance(event, ScanRequested) and event.dry_run,
    )
