"""What the runs of each scope came to, ever: forgetting runs changes nothing here. From the scheduler log."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.job import BUILT_IN, LIBRARY_SCAN, JobRequested, ScanRequested
from linstock.statuses import COMPLETED, ENDED, FAILED, RUNNING, TIMEOUT
from services.projection.fact import Fact
from services.projection.rows import Rows
from services.projection.views import jobs as jobs_view
from services.projection.views.jobs import Change, Job, Ordinals
from services.projection.views.scopes import scopes


class RunTotals(Struct, frozen=True, gc=False):
    """`run_count` counts every run asked for; failures are Failed and Timeout. The last run is the one that started
    last; its error is kept until a run completes."""

    scope: str
    run_count: int = 0
    success_count: int = 0
    failure_count: int = 0
    last_job_id: UUID | None = None
    last_run_at: datetime | None = None
    last_run_status: str | None = None
    last_run_duration_ms: int | None = None
    last_error_message: str | None = None


def rows() -> Rows[RunTotals]:
    return Rows("run_totals", RunTotals, key=("scope",))


def reads(fact: Fact, jobs: Rows[Job]) -> Iterable[str]:
    match fact.event:
        case ScanRequested(schedule_id=schedule_id, target=target):
            found = scopes(fact.workspace, schedule_id, target.library_id, LIBRARY_SCAN)
        case JobRequested(schedule_id=schedule_id, library_id=library_id, job_type=job_type):
            if job_type not in BUILT_IN:
                return ()
            found = scopes(fact.workspace, schedule_id, library_id, job_type)
        case _:
            job_id = jobs_view.job_id_of(fact)
            job = None if job_id is None else jobs.get(job_id)
            if job is None:
                return ()
            found = scopes(job.workspace, job.schedule_id, job.library_id, job.job_type)
    return (scope for scope in found if scope is not None)


def number(totals: Rows[RunTotals], fact: Fact) -> Ordinals | None:
    """The next number in each scope, for a built-in run. Numbers have no holes and are never given twice."""
    match fact.event:
        case ScanRequested(schedule_id=schedule_id, target=target):
            found = scopes(fact.workspace, schedule_id, target.library_id, LIBRARY_SCAN)
        case JobRequested(schedule_id=schedule_id, library_id=library_id, job_type=job_type) if job_type in BUILT_IN:
            found = scopes(fact.workspace, schedule_id, library_id, job_type)
        case _:
            return None
    workspace, schedule, library = found
    return Ordinals(
        _next(totals, workspace),
        None if schedule is None else _next(totals, schedule),
        None if library is None else _next(totals, library),
    )


def _next(totals: Rows[RunTotals], scope: str) -> int:
    known = totals.get(scope) or RunTotals(scope)
    totals.put(replace(known, run_count=known.run_count + 1))
    return known.run_count + 1


def fold(totals: Rows[RunTotals], change: Change) -> None:
    before, after = change.before, change.after
    if before is None:
        return
    starts = before.started_at is None and after.started_at is not None
    ends = after.status in ENDED and before.status not in ENDED
    if not starts and not ends:
        return
    for scope in scopes(after.workspace, after.schedule_id, after.library_id, after.job_type):
        known = None if scope is None else totals.get(scope)
        if known is not None:
            totals.put(_started(known, after) if starts else _ended(known, after))


def _started(known: RunTotals, job: Job) -> RunTotals:
    return replace(
        known,
        last_job_id=job.job_id,
        last_run_at=job.started_at,
        last_run_status=RUNNING,
        last_run_duration_ms=None,
    )


def _ended(known: RunTotals, job: Job) -> RunTotals:
    failed = job.status in (FAILED, TIMEOUT)
    succeeded = job.status == COMPLETED
    last = job.job_id == known.last_job_id
    return replace(
        known,
        success_count=known.success_count + succeeded,
        failure_count=known.failure_count + failed,
        last_error_message=job.message if failed else None if succeeded else known.last_error_message,
        last_run_status=job.status if last else known.last_run_status,
        last_run_duration_ms=_duration_ms(job) if last else known.last_run_duration_ms,
    )


def _duration_ms(job: Job) -> int | None:
    if job.started_at is None or job.ended_at is None:
        return None
    return round((job.ended_at - job.started_at).total_seconds() * 1000)
