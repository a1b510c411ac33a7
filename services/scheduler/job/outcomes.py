"""What an outcome does: the first one of the current lease counts, any other is recorded once."""

from datetime import datetime, timedelta

from linstock.messages.job import (
    JobCheckpointed,
    JobEvent,
    JobFailed,
    JobRetryScheduled,
    JobSnoozed,
    JobSucceeded,
    KeepCheckpoint,
    OutcomeIgnored,
    ReportFailure,
    ReportSnooze,
    ReportSuccess,
)
from services.scheduler.job import retrying
from services.scheduler.job.states import HEARD_LIMIT, LEASE_LOST, Heard, Job, Paused, Running, Unrequested


def report(command: ReportSuccess | ReportFailure | ReportSnooze, job: Job) -> list[JobEvent]:
    if isinstance(job, Unrequested):
        return []
    outcome = _OUTCOMES[type(command)]
    attempt, lease, job_id = command.attempt, command.lease, job.facts.job_id
    if Heard(attempt=attempt, lease=lease, outcome=outcome) in job.heard:
        return []
    if isinstance(job, Paused) and job.ended == (attempt, lease) and isinstance(command, ReportSuccess):
        return [JobSucceeded(job_id=job_id, attempt=attempt, at=command.at, result=command.result)]
    if not isinstance(job, Running) or (job.attempt, job.lease) != (attempt, lease):
        if len(job.heard) >= HEARD_LIMIT:
            return []
        return [OutcomeIgnored(job_id=job_id, attempt=attempt, lease=lease, outcome=outcome, at=command.at)]
    if isinstance(command, ReportSuccess):
        return [JobSucceeded(job_id=job_id, attempt=attempt, at=command.at, result=command.result)]
    return [_snoozed(command, job) if isinstance(command, ReportSnooze) else _failed(command, job)]


_OUTCOMES = {ReportSuccess: "succeeded", ReportFailure: "failed", ReportSnooze: "snoozed"}


def _snoozed(command: ReportSnooze, job: Running) -> JobSnoozed:
    return JobSnoozed(
        job_id=job.facts.job_id,
        attempt=job.attempt,
        next_attempt=job.attempt + 1,
        due=command.at + timedelta(seconds=command.for_s),
        reason=command.reason,
        at=command.at,
    )


def _failed(command: ReportFailure, job: Running) -> JobRetryScheduled | JobFailed:
    # The code that says nobody reported is ours alone: a report under it must still count as heard.
    code = "reported_lease_lost" if command.code == LEASE_LOST else command.code
    policy = job.facts.policy
    if command.final or _is_last(job) or not retrying.is_retried(policy, code, command.kinds):
        return _failure(job, command.at, code, command.message)
    delay_s = retrying.delay_s(policy, job.facts.job_id, job.attempt - job.pauses)
    return _retry(job, command.at, code, command.message, due=command.at + timedelta(seconds=delay_s))


def checkpoint(command: KeepCheckpoint, job: Job) -> list[JobEvent]:
    if not isinstance(job, Running) or (job.attempt, job.lease) != (command.attempt, command.lease):
        return []
    if bytes(job.checkpoint) == bytes(command.data):
        return []
    return [JobCheckpointed(job_id=job.facts.job_id, attempt=job.attempt, at=command.at, data=command.data)]


def lease_lost(job: Running, at: datetime) -> JobRetryScheduled | JobFailed:
    message = f"worker {job.worker} gave no sign of life"
    if _is_last(job):
        return _failure(job, at, LEASE_LOST, message)
    return _retry(job, at, LEASE_LOST, message, due=at)


def _is_last(job: Running) -> bool:
    return job.attempt - job.pauses > job.facts.policy.max_retries


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
