"""Attempts: who may run one, what keeps it from running, and what ends it without an outcome."""

from datetime import timedelta
from typing import assert_never

from linstock.messages.job import (
    DeferAttempt,
    ExpireDeadline,
    ExpireLease,
    FollowParent,
    JobCancelled,
    JobDeferred,
    JobEvent,
    JobPaused,
    JobReleased,
    JobResumed,
    JobStarted,
    JobTimedOut,
    PauseJob,
    ResumeJob,
    StartAttempt,
)
from services.scheduler.job.outcomes import lease_lost
from services.scheduler.job.states import Awaiting, ClaimRefused, Closed, Job, Paused, Pending, Running, Unrequested


def start(command: StartAttempt, job: Job) -> list[JobEvent]:
    match job:
        case Unrequested():
            raise ClaimRefused("unknown")
        case Closed():
            raise ClaimRefused("closed")
        case Paused():
            raise ClaimRefused("paused")
        case Awaiting():
            raise ClaimRefused("waits")
        case _ if command.attempt != job.attempt:
            raise ClaimRefused("superseded")
        case Running(lease=lease):
            if lease != command.lease:
                raise ClaimRefused("taken")
            return []  # asked again: the same yes
        case Pending(facts=facts, due=due):
            if command.at < due:
                raise ClaimRefused("not_due")
            return [
                JobStarted(
                    job_id=facts.job_id,
                    attempt=command.attempt,
                    worker=command.worker,
                    lease=command.lease,
                    at=command.at,
                    deadline=command.at + timedelta(seconds=facts.policy.timeout_s),
                    device=command.device,
                )
            ]
        case _:
            assert_never(job)


def defer(command: DeferAttempt, job: Job) -> list[JobEvent]:
    if not isinstance(job, Pending) or job.attempt != command.attempt or job.device == command.device:
        return []
    return [
        JobDeferred(
            job_id=job.facts.job_id,
            attempt=job.attempt,
            device=command.device,
            limit=command.limit,
            at=command.at,
        )
    ]


def pause(command: PauseJob, job: Job) -> list[JobEvent]:
    if not isinstance(job, Pending | Running):
        return []
    ends = isinstance(job, Running)
    return [
        JobPaused(
            job_id=job.facts.job_id,
            attempt=job.attempt,
            next_attempt=job.attempt + ends,
            reason=command.reason,
            at=command.at,
        )
    ]


def resume(command: ResumeJob, job: Job) -> list[JobEvent]:
    if not isinstance(job, Paused):
        return []
    return [JobResumed(job_id=job.facts.job_id, attempt=job.attempt, reason=command.reason, at=command.at)]


def expire(command: ExpireLease | ExpireDeadline, job: Job) -> list[JobEvent]:
    if not isinstance(job, Running) or job.attempt != command.attempt:
        return []
    if isinstance(command, ExpireLease):
        return [lease_lost(job, command.at)] if job.lease == command.lease else []
    if job.deadline > command.worked_until:
        return []
    return [JobTimedOut(job_id=job.facts.job_id, attempt=job.attempt, at=command.at)]


def follow(command: FollowParent, job: Job) -> list[JobEvent]:
    if not isinstance(job, Awaiting) or not (wanted := [each for each in job.after if each.job_id == command.parent]):
        return []
    job_id = job.facts.job_id
    outcome = "success" if command.verdict == "succeeded" else "failure"
    missed = [each for each in wanted if each.on not in (outcome, "either")]
    if not missed:
        return [JobReleased(job_id=job_id, parent=command.parent, at=command.at)]
    reason = f"it waited for the {missed[0].on} of job {command.parent}, which has {_SAID[command.verdict]}"
    return [JobCancelled(job_id=job_id, attempt=job.attempt, at=command.at, reason=reason)]


_SAID = {"succeeded": "succeeded", "failed": "failed", "timed_out": "timed out", "cancelled": "been cancelled"}
