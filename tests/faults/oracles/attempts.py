"""Whether the attempts of each job of an application follow one another, and what the log says of each really ran."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from linstock import names
from linstock.messages.job import (
    JobCancelled,
    JobFailed,
    JobRequested,
    JobRetryScheduled,
    JobSnoozed,
    JobStarted,
    JobSucceeded,
    JobTimedOut,
    OutcomeIgnored,
)
from tests.faults.history import History, decoded

End = JobRetryScheduled | JobSnoozed | JobSucceeded | JobFailed | JobTimedOut | JobCancelled


@dataclass
class Attempts:
    """Of jobs of one type. `out_of_turn`: one began although the one before had not ended, or with a wrong number.
    `lost` are the workers whose leases lapsed, one for each."""

    requested: set[UUID] = field(default_factory=set)
    started: set[tuple[UUID, int]] = field(default_factory=set)
    ended: Counter[str] = field(default_factory=Counter)
    out_of_turn: int = 0
    ignored: int = 0
    lost: list[str] = field(default_factory=list)


def attempts(history: History, job_type: str) -> Attempts:
    found = Attempts()
    running: dict[UUID, int] = {}
    latest: Counter[UUID] = Counter()
    workers: dict[UUID, str] = {}
    for record in history.log.get(names.SCHEDULER, []):
        event = decoded(record)
        if isinstance(event, End) and event.job_id in found.requested:
            found.out_of_turn += running.pop(event.job_id, None) != event.attempt
            found.ended[_word(event)] += 1
            if _word(event) == "lease_lost":
                found.lost.append(workers[event.job_id])
        match event:
            case JobRequested(job_id=job_id) as request if request.job_type == job_type:
                found.requested.add(job_id)
            case JobStarted(job_id=job_id, attempt=attempt, worker=worker) if job_id in found.requested:
                found.out_of_turn += job_id in running or attempt != latest[job_id] + 1
                found.started.add((job_id, attempt))
                running[job_id] = latest[job_id] = attempt
                workers[job_id] = worker
            case OutcomeIgnored(job_id=job_id) if job_id in found.requested:
                found.ignored += 1
            case _:
                pass
    return found


def _word(end: End) -> str:
    return end.code if isinstance(end, JobRetryScheduled) else type(end).__name__.removeprefix("Job").lower()


def run_twice(runs: Iterable[tuple[UUID, int]]) -> int:
    """Attempts that more than one process has begun."""
    return sum(count - 1 for count in Counter(runs).values())
