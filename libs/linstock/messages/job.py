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
BUILT_IN = (LIBRARY_SCAN, *APART)
"""All other types are those of applications."""


class After(Message, frozen=True):
    """It may run only once `job_id` has ended; `on` says how: success | failure | either. A failure is Failed, Timeout
    or Cancelled."""

    job_id: UUID
    on: str = "success"


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


class RetryRun(Message, frozen=True, tag="RetryRun"):
    """Somebody wants what has failed, timed out or was cancelled to be done again, as another job. Twice is once."""

    job_id: UUID


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
    """`final` failures are never retried (the root is not a directory, say). `kinds` are the error's class and those
    it derives from."""

    attempt: int
    lease: UUID
    at: datetime
    code: str
    message: str
    final: bool = False
    kinds: tuple[str, ...] = ()


class ReportSnooze(Message, frozen=True, tag="ReportSnooze"):
    """The attempt can't do its work yet, and is no failed one: again `for_s` seconds after `at`."""

    attempt: int
    lease: UUID
    at: datetime
    for_s: float
    reason: str = ""


class KeepCheckpoint(Message, frozen=True, tag="KeepCheckpoint"):
    """How far the attempt is, in its own words: the next one starts with them."""

    attempt: int
    lease: UUID
    at: datetime
    data: Raw


class FollowParent(Message, frozen=True, tag="FollowParent"):
    """A job that this one waits for has ended: `verdict` is succeeded | failed | timed_out | cancelled."""

    parent: UUID
    verdict: str
    at: datetime


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
    | ReportSnooze
    | KeepCheckpoint
    | FollowParent
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
    """Every type but the built-in scan. `payload` is the job type's own JSON, at most 256 KiB, of its version
    `payload_version`. `library_id`: it serves this library, beside its scans; scans do not wait for it. It may not
    start before `not_before`, nor before all of `after`. `retry_of` is the job that this one does again. `unique_key`
    is what it has for itself, if it wanted to be the only one. `name` is for people; empty: the type's."""

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
    not_before: datetime | None = None
    name: str = ""
    payload_version: int = 1
    after: tuple[After, ...] = ()
    retry_of: UUID | None = None
    unique_key: str = ""


class JobReleased(Message, frozen=True, tag="linstock.job.released.v1"):
    """`parent`, which it waited for, has ended as it had to."""

    job_id: UUID
    parent: UUID
    at: datetime


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


class JobSnoozed(Message, frozen=True, tag="linstock.job.snoozed.v1"):
    """`attempt` could not do its work yet; `next_attempt` may be claimed from `due` on. It counts as no retry."""

    job_id: UUID
    attempt: int
    next_attempt: int
    due: datetime
    reason: str
    at: datetime


class JobCheckpointed(Message, frozen=True, tag="linstock.job.checkpointed.v1"):
    """What the attempt said of how far it is, at most 64 KiB. A later one starts with it."""

    job_id: UUID
    attempt: int
    at: datetime
    data: Raw


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
    | JobReleased
    | JobStarted
    | JobDeferred
    | JobPaused
    | JobResumed
    | JobRetryScheduled
    | JobSnoozed
    | JobCheckpointed
    | JobSucceeded
    | JobFailed
    | JobTimedOut
    | JobCancelled
    | OutcomeIgnored
)
