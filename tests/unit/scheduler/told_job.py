"""A job and its plain model side by side: told the same, and compared."""

from functools import reduce
from uuid import UUID

import msgspec

from linstock.messages.job import (
    After,
    JobCancelled,
    JobCommand,
    JobEvent,
    JobFailed,
    JobRetryScheduled,
    JobSucceeded,
    JobTimedOut,
)
from linstock.messages.schedule import JobPolicy
from services.scheduler import job
from services.scheduler.job import Awaiting, ClaimRefused, Closed, Paused, Pending, Running, Unrequested
from tests.support.jobs import at, folded
from tests.support.schedules import job_requested
from tests.unit.scheduler.plain_job import DELAYS_S, TIMEOUT_S, PlainJob

ENDS = {"success": {"success"}, "failure": {"failure"}, "either": {"success", "failure"}}
FINAL = JobSucceeded | JobFailed | JobTimedOut | JobCancelled


class Told:
    """A job and its model, told the same."""

    def __init__(self, job_id: UUID, max_retries: int, after: dict[UUID, str]) -> None:
        policy = JobPolicy(timeout_s=TIMEOUT_S, max_retries=max_retries, retry_delays_s=DELAYS_S)
        wanted = tuple(After(job_id=parent, on=on) for parent, on in after.items())
        self.history: list[JobEvent] = [job_requested(job_id, policy=policy, after=wanted)]
        self.state = folded(*self.history)
        self.plain = PlainJob(max_retries, {parent: frozenset(ENDS[on]) for parent, on in after.items()})

    def tell(self, command: JobCommand, expected: str) -> None:
        """Once as it comes and once again."""
        before = self.state
        events, said = ask(command, self.state)
        assert (said or "".join(type(each).__name__ for each in events)) == expected
        self.history += events
        self.state = reduce(job.evolve, events, self.state)
        if expected in ("", "OutcomeIgnored") or said:
            assert shown(self.state) == shown(before)
        again, refused = ask(command, self.state)
        assert (again, refused) == ([], said)

    def agree(self) -> None:
        assert folded(*self.history) == self.state
        assert msgspec.json.decode(msgspec.json.encode(self.state), type=job.Job) == self.state
        assert shown(self.state) == of_plain(self.plain)
        verdicts = [event for event in self.history if isinstance(event, FINAL)]
        assert len(verdicts) == self.plain.over
        failed = [event for event in self.history if isinstance(event, JobRetryScheduled | JobFailed)]
        assert len(failed) == self.plain.failures <= self.plain.max_retries + 1


def ask(command: JobCommand, state: job.Job) -> tuple[list[JobEvent], str]:
    """What is decided, or why it is refused."""
    try:
        return job.decide(command, state), ""
    except ClaimRefused as refused:
        return [], f"-{refused.why}"


def shown(state: job.Job) -> tuple[object, ...]:
    match state:
        case Unrequested():
            return ()
        case Awaiting(after=after, due=due):
            return "awaiting", 1, {each.job_id for each in after}, due
        case Closed(verdict=verdict, attempt=attempt):
            return verdict, attempt
        case Running(attempt=attempt, lease=lease, deadline=deadline, checkpoint=kept):
            return "running", attempt, lease, deadline, bytes(kept)
        case Pending() | Paused():
            status = "pending" if isinstance(state, Pending) else "paused"
            return status, state.attempt, state.due, bytes(state.checkpoint)


def of_plain(plain: PlainJob) -> tuple[object, ...]:
    """The same of the model."""
    match plain.status:
        case "awaiting":
            return "awaiting", 1, set(plain.after), at(plain.due)
        case "running":
            return "running", plain.attempt, plain.lease, at(plain.deadline), plain.checkpoint
        case "pending" | "paused":
            return plain.status, plain.attempt, at(plain.due), plain.checkpoint
        case verdict:
            return verdict, plain.attempt
