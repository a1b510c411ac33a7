"""A job's commands and events in few words, and given / when / then for its decider. Times are seconds after noon."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import reduce
from uuid import UUID

from msgspec import Raw

from linstock.messages.job import (
    FollowParent,
    JobCheckpointed,
    JobCommand,
    JobEvent,
    JobReleased,
    JobRetryScheduled,
    JobSnoozed,
    JobStarted,
    JobSucceeded,
    KeepCheckpoint,
    OutcomeIgnored,
    ReportFailure,
    ReportSnooze,
    ReportSuccess,
    StartAttempt,
)
from linstock.messages.schedule import JobPolicy
from services.scheduler import job
from tests.support.schedules import JOB, NOON, seconds

POLICY = JobPolicy(timeout_s=60, max_retries=2, retry_delays_s=(10, 30))
MINE, OTHER = UUID(int=1), UUID(int=2)


def at(second: float) -> datetime:
    return NOON + seconds(second)


def folded(*history: JobEvent) -> job.Job:
    return reduce(job.evolve, history, job.initial())


def given(*history: JobEvent) -> Callable[[JobCommand], Sequence[JobEvent]]:
    state = folded(*history)
    return lambda command: job.decide(command, state)


def start(attempt: int = 1, lease: UUID = MINE, second: float = 0) -> StartAttempt:
    return StartAttempt(attempt=attempt, worker="w1", lease=lease, at=at(second))


def success(attempt: int = 1, lease: UUID = MINE, second: float = 5) -> ReportSuccess:
    return ReportSuccess(attempt=attempt, lease=lease, at=at(second))


def failure(
    attempt: int = 1,
    lease: UUID = MINE,
    second: float = 5,
    *,
    final: bool = False,
    code: str = "disk",
    kinds: tuple[str, ...] = (),
) -> ReportFailure:
    return ReportFailure(
        attempt=attempt, lease=lease, at=at(second), code=code, message="gone", final=final, kinds=kinds
    )


def snooze(attempt: int = 1, lease: UUID = MINE, second: float = 5, for_s: float = 20) -> ReportSnooze:
    return ReportSnooze(attempt=attempt, lease=lease, at=at(second), for_s=for_s, reason="too early")


def checkpoint(attempt: int = 1, lease: UUID = MINE, second: float = 5, data: bytes = b"41") -> KeepCheckpoint:
    return KeepCheckpoint(attempt=attempt, lease=lease, at=at(second), data=Raw(data))


def follow(parent: UUID, verdict: str, second: float = 5) -> FollowParent:
    return FollowParent(parent=parent, verdict=verdict, at=at(second))


def started(attempt: int = 1, lease: UUID = MINE, second: float = 0) -> JobStarted:
    return JobStarted(
        job_id=JOB, attempt=attempt, worker="w1", lease=lease, at=at(second), deadline=at(second + POLICY.timeout_s)
    )


def retry(attempt: int, due: float, second: float, code: str = "disk", message: str = "gone") -> JobRetryScheduled:
    return JobRetryScheduled(
        job_id=JOB, attempt=attempt, next_attempt=attempt + 1, due=at(due), code=code, message=message, at=at(second)
    )


def snoozed(attempt: int = 1, due: float = 25, second: float = 5) -> JobSnoozed:
    return JobSnoozed(
        job_id=JOB, attempt=attempt, next_attempt=attempt + 1, due=at(due), reason="too early", at=at(second)
    )


def checkpointed(attempt: int = 1, second: float = 5, data: bytes = b"41") -> JobCheckpointed:
    return JobCheckpointed(job_id=JOB, attempt=attempt, at=at(second), data=Raw(data))


def released(parent: UUID, second: float = 5) -> JobReleased:
    return JobReleased(job_id=JOB, parent=parent, at=at(second))


def succeeded(attempt: int = 1, second: float = 5) -> JobSucceeded:
    return JobSucceeded(job_id=JOB, attempt=attempt, at=at(second), result=Raw(b"{}"))


def ignored(outcome: str, attempt: int = 1, lease: UUID = MINE, second: float = 5) -> OutcomeIgnored:
    return OutcomeIgnored(job_id=JOB, attempt=attempt, lease=lease, outcome=outcome, at=at(second))
