"""What a job may do. Pure: claims, leases, the dispatcher and the log are elsewhere.

A claim grants one attempt to one lease. Outcomes count for the current attempt and lease only, the first one wins,
and whatever comes later is recorded once and changes nothing. Every job ends in exactly one final verdict.

`states.py` says what a job can be and how events change it; `attempts.py` who may run it and what ends an attempt
without an outcome, `outcomes.py` what an outcome does, `retrying.py` whether and when another attempt follows.
"""

from typing import assert_never

from linstock.messages.job import (
    CancelJob,
    DeferAttempt,
    ExpireDeadline,
    ExpireLease,
    FollowParent,
    JobCancelled,
    JobCommand,
    JobEvent,
    KeepCheckpoint,
    PauseJob,
    ReportFailure,
    ReportSnooze,
    ReportSuccess,
    ResumeJob,
    StartAttempt,
)
from services.scheduler.job.attempts import defer, expire, follow, pause, resume, start
from services.scheduler.job.outcomes import checkpoint, report
from services.scheduler.job.states import (
    HINT,
    LEASE_LOST,
    Awaiting,
    ClaimRefused,
    Closed,
    Facts,
    Heard,
    Job,
    Open,
    Paused,
    Pending,
    Running,
    Unrequested,
    evolve,
    initial,
)

__all__ = [
    "HINT",
    "LEASE_LOST",
    "Awaiting",
    "ClaimRefused",
    "Closed",
    "Facts",
    "Heard",
    "Job",
    "Open",
    "Paused",
    "Pending",
    "Running",
    "Unrequested",
    "decide",
    "evolve",
    "initial",
]


def decide(command: JobCommand, job: Job) -> list[JobEvent]:
    """Raises ClaimRefused, for StartAttempt only."""
    match command:
        case StartAttempt():
            return start(command, job)
        case ReportSuccess() | ReportFailure() | ReportSnooze():
            return report(command, job)
        case KeepCheckpoint():
            return checkpoint(command, job)
        case ExpireLease() | ExpireDeadline():
            return expire(command, job)
        case _:
            return _told(command, job)


def _told(command: DeferAttempt | FollowParent | PauseJob | ResumeJob | CancelJob, job: Job) -> list[JobEvent]:
    match command:
        case DeferAttempt():
            return defer(command, job)
        case FollowParent():
            return follow(command, job)
        case PauseJob():
            return pause(command, job)
        case ResumeJob():
            return resume(command, job)
        case CancelJob(reason=reason, at=at):
            if isinstance(job, Unrequested | Closed):
                return []
            return [JobCancelled(job_id=job.facts.job_id, attempt=job.attempt, at=at, reason=reason)]
        case _:
            assert_never(command)
