"""What the runs of each schedule came to. From the scheduler log; folded before the jobs, whose rows it looks at as
they were when the event came."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.job import (
    JobCancelled,
    JobFailed,
    JobRequested,
    JobStarted,
    JobSucceeded,
    JobTimedOut,
    ScanRequested,
)
from services.projection.fact import Fact
from services.projection.rows import Rows
from services.projection.views import jobs as jobs_view
from services.projection.views.jobs import ENDED, FAILED, RUNNING, TIMEOUT, Job, Verdict


class Totals(Struct, frozen=True):
    """`run_count` counts every run asked for; failures are Failed and Timeout. The last run is the one that started
    last; its error is kept until a run completes."""

    schedule_id: UUID
    workspace: str
    run_count: int = 0
    success_count: int = 0
    failure_count: int = 0
    last_job_id: UUID | None = None
    last_run_at: datetime | None = None
    last_run_status: str | None = None
    last_run_duration_ms: int | None = None
    last_error_message: str | None = None


def rows() -> Rows[Totals]:
    return Rows("run_totals", Totals, key=("schedule_id",))


def reads(fact: Fact, jobs: Rows[Job]) -> Iterable[UUID]:
    match fact.event:
        case ScanRequested(schedule_id=UUID() as schedule_id) | JobRequested(schedule_id=UUID() as schedule_id):
            return (schedule_id,)
        case _:
            job_id = jobs_view.job_id_of(fact)
            job = None if job_id is None else jobs.get(job_id)
            return (job.schedule_id,) if job and job.schedule_id else ()


def fold(totals: Rows[Totals], jobs: Rows[Job], fact: Fact) -> None:
    match fact.event:
        case ScanRequested(schedule_id=UUID() as schedule_id) | JobRequested(schedule_id=UUID() as schedule_id):
            known = totals.get(schedule_id) or Totals(schedule_id, fact.workspace)
            totals.put(replace(known, run_count=known.run_count + 1))
        case JobStarted(job_id=job_id, at=at):
            job = jobs.get(job_id)
            before = totals.get(job.schedule_id) if job else None
            if job and before and job.started_at is None:
                totals.put(_last(before, job_id, at))
        case JobSucceeded() | JobFailed() | JobTimedOut() | JobCancelled() as verdict:
            job = jobs.get(verdict.job_id)
            before = totals.get(job.schedule_id) if job else None
            if job and before and job.status not in ENDED:
                totals.put(_ended(before, jobs_view.ended(job, verdict), verdict))
        case _:
            return


def _last(known: Totals, job_id: UUID, at: datetime) -> Totals:
    return replace(known, last_job_id=job_id, last_run_at=at, last_run_status=RUNNING, last_run_duration_ms=None)


def _ended(known: Totals, job: Job, verdict: Verdict) -> Totals:
    failed = job.status in (FAILED, TIMEOUT)
    succeeded = isinstance(verdict, JobSucceeded)
    known = replace(
        known,
        success_count=known.success_count + succeeded,
        failure_count=known.failure_count + failed,
        last_error_message=job.message if failed else None if succeeded else known.last_error_message,
    )
    if job.job_id != known.last_job_id or job.started_at is None:
        return known
    duration = verdict.at - job.started_at
    return replace(known, last_run_status=job.status, last_run_duration_ms=round(duration.total_seconds() * 1000))
