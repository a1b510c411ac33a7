"""Job: one unit of work with one id (job id = run id = scan id), numbered attempts, a deadline, one final verdict.

Its first event is its request: `ScanRequested` for the built-in `LibraryScan`, `JobRequested` for every other type.
A lease is the claim's id: an outcome counts only for the current attempt and lease.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Raw

from linstock.messages.maintenance import CLEAN_THUMBNAILS
from linstock.messages.message import Message
from linstock.messages.schedule import JobPolicy, ScanPath, ScanTarget

LIBRARY_SCAN = "LibraryScan"
ENRICH = "Enrich"
"""Reads the images that a scan found new (`messages/enrichment.py`). Nobody asks for it."""
APART = (ENRICH, CLEAN_THUMBNAILS)
"""Types of jobs that come by themselves: their runs are numbered, counted and listed apart."""

# Commands


class CancelRun(Message, frozen=True, tag="CancelRun"):
    """Somebody wants no more of this run. `reason` is shown with it."""

    job_id: UUID
    reason: str = ""


class PauseRun(Message, frozen=True, tag="PauseRun"):
    """Somebody wants this scan to rest. `reason` is shown with it."""

    job_id: UUID
    reason: str = ""


class ResumeRun(Message, frozen=True, tag="ResumeRun"):
    """It may go on."""

    job_id: UUID
    reason: str = ""


class StartAttempt(Message, frozen=True, tag="StartAttempt"):
    """A worker claims `attempt`. Granting is final: nobody else may run this attempt while the lease lasts."""

    attempt: int
    worker: str
    lease: UUID
    at: datetime
    device: str = ""


class DeferAttempt(Message, frozen=True, tag="DeferAttempt"):
    """As many scans run on `device` as may: `limit`."""

    attempt: int
    device: str
    limit: int
    at: datetime


class ReportSuccess(Message, frozen=True, tag="ReportSuccess"):
    attempt: int
    lease: UUID
    at: datetime
    result: Raw = Raw(b"{}")


class ReportFailure(Message, frozen=True, tag="ReportFailure"):
    """`final` failures are never retried (the root is not a directory, say)."""

    attempt: int
    lease: UUID
    at: datetime
    code: str
    message: str
    final: bool = False


class ExpireLease(Message, frozen=True, tag="ExpireLease"):
    """No sign of life for a whole lease timeout."""

    attempt: int
    lease: UUID
    at: datetime


class ExpireDeadline(Message, frozen=True, tag="ExpireDeadline"):
    """`worked_until` is `at` as the attempt's start counts it: without what the clock was set by since."""

    attempt: int
    worked_until: datetime
    at: datetime


class CancelJob(Message, frozen=True, tag="CancelJob"):
    job_id: UUID
    reason: str
    at: datetime


class PauseJob(Message, frozen=True, tag="PauseJob"):
    reason: str
    at: datetime


class ResumeJob(Message, frozen=True, tag="ResumeJob"):
    reason: str
    at: datetime


JobCommand = (
    StartAttempt
    | DeferAttempt
    | ReportSuccess
    | ReportFailure
    | ExpireLease
    | ExpireDeadline
    | CancelJob
    | PauseJob
    | ResumeJob
)


# Events


class ScanRequested(Message, frozen=True, tag="linstock.scan.requested.v1"):
    """`instant` is the tick's nominal one, absent when somebody asked by hand. `triggered_by` is Scheduler | Manual |
    API | Backfill | Hint. `scan_mode` is quick | changed | deep | verify. `waits`: it may not start while an earlier
    scan of the library is open. `not_before`: nor before then. `scope`: only this is looked at, and can be absent;
    empty: all. `dry_run`: what would change is told, and nothing else is."""

    job_id: UUID
    schedule_id: UUID
    instant: datetime | None
    triggered_by: str
    target: ScanTarget
    policy: JobPolicy
    requested_at: datetime
    scan_mode: str = "changed"
    include_subfolders: bool = True
    queue: str = "library-scan"
    waits: bool = False
    not_before: datetime | None = None
    scope: tuple[ScanPath, ...] = ()
    dry_run: bool = False


class JobRequested(Message, frozen=True, tag="linstock.job.requested.v1"):
    """Every type but the built-in scan. `payload` is the job type's own JSON, at most 256 KiB. `library_id`: it serves
    this library, beside its scans; scans do not wait for it."""

    job_id: UUID
    job_type: str
    queue: str
    payload: Raw
    policy: JobPolicy
    requested_at: datetime
    triggered_by: str
    schedule_id: UUID | None = None
    instant: datetime | None = None
    library_id: UUID | None = None


class JobStarted(Message, frozen=True, tag="linstock.job.started.v1"):
    """The claim was granted. The attempt is over at `deadline` at the latest. `device` is the one that it works on;
    empty: the worker did not say."""

    job_id: UUID
    attempt: int
    worker: str
    lease: UUID
    at: datetime
    deadline: datetime
    device: str = ""


class JobDeferred(Message, frozen=True, tag="linstock.job.deferred.v1"):
    """A worker would have run the attempt, but `limit` jobs run on its `device` already. It waits until it may."""

    job_id: UUID
    attempt: int
    device: str
    limit: int
    at: datetime


class JobPaused(Message, frozen=True, tag="linstock.job.paused.v1"):
    """No attempt may start until it is resumed. If `attempt` was running it is over, without a verdict, and
    `next_attempt` is another one."""

    job_id: UUID
    attempt: int
    next_attempt: int
    reason: str
    at: datetime


class JobResumed(Message, frozen=True, tag="linstock.job.resumed.v1"):
    """`attempt` may be claimed."""

    job_id: UUID
    attempt: int
    reason: str
    at: datetime


class JobRetryScheduled(Message, frozen=True, tag="linstock.job.retry_scheduled.v1"):
    """`attempt` ended without a verdict (`code`: lease_lost, or what the worker reported); `next_attempt` may be
    claimed from `due` on."""

    job_id: UUID
    attempt: int
    next_attempt: int
    due: datetime
    code: str
    message: str
    at: datetime


class JobSucceeded(Message, frozen=True, tag="linstock.job.succeeded.v1"):
    job_id: UUID
    attempt: int
    at: datetime
    result: Raw


class JobFailed(Message, frozen=True, tag="linstock.job.failed.v1"):
    job_id: UUID
    attempt: int
    at: datetime
    code: str
    message: str


class JobTimedOut(Message, frozen=True, tag="linstock.job.timed_out.v1"):
    """An attempt passed its deadline. Final."""

    job_id: UUID
    attempt: int
    at: datetime


class JobCancelled(Message, frozen=True, tag="linstock.job.cancelled.v1"):
    job_id: UUID
    attempt: int
    at: datetime
    reason: str


class OutcomeIgnored(Message, frozen=True, tag="linstock.job.outcome_ignored.v1"):
    """An outcome came for an attempt or lease that no longer counts. Kept as evidence; changes nothing."""

    job_id: UUID
    attempt: int
    lease: UUID
    outcome: str
    at: datetime


JobRequest = ScanRequested | JobRequested
JobEvent = (
    ScanRequested
    | JobRequested
    | JobStarted
    | JobDeferred
    | JobPaused
    | JobResumed
    | JobRetryScheduled
    | JobSucceeded
    | JobFailed
    | JobTimedOut
    | JobCancelled
    | OutcomeIgnored
)
