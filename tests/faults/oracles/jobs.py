"""Whether every job has one request, one worker per attempt, and one verdict."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from linstock import names
from linstock.messages.catalogue import ScanStarted
from linstock.messages.job import (
    JobCancelled,
    JobFailed,
    JobRequested,
    JobStarted,
    JobSucceeded,
    JobTimedOut,
    ScanRequested,
)
from linstock.messages.schedule import TickFired
from tests.faults.history import History, decoded


@dataclass
class Jobs:
    """Every job requested has one request and one final verdict; no attempt has two workers."""

    requested: int = 0
    doubled: int = 0
    open: int = 0
    several_verdicts: int = 0
    after_verdict: int = 0
    attempts_run_twice: int = 0
    unclaimed_runs: int = 0
    orphan_ticks: int = 0
    reruns: int = 0
    longest_open_s: float = 0.0
    verdicts: Counter[str] = field(default_factory=Counter)


WORDS: dict[type, str] = {
    JobSucceeded: "succeeded",
    JobFailed: "failed",
    JobTimedOut: "timed out",
    JobCancelled: "cancelled",
}

Attempt = tuple[UUID, int]


def jobs(history: History) -> Jobs:
    found = Jobs()
    requests, verdicts = Counter[UUID](), Counter[UUID]()
    claims = Counter[Attempt]()
    leases: set[tuple[Attempt, UUID]] = set()
    fired: list[UUID] = []
    requested_at: dict[UUID, datetime] = {}
    for record in history.log.get(names.SCHEDULER, []):
        match decoded(record):
            case ScanRequested(job_id=job_id) | JobRequested(job_id=job_id):
                requests[job_id] += 1
                requested_at[job_id] = record.time
            case TickFired(job_id=job_id):
                fired.append(job_id)
            case JobStarted(job_id=job_id, attempt=attempt, lease=lease):
                found.after_verdict += job_id in verdicts
                claims[job_id, attempt] += 1
                leases.add(((job_id, attempt), lease))
            case JobSucceeded() | JobFailed() | JobTimedOut() | JobCancelled() as verdict:
                verdicts[verdict.job_id] += 1
                found.verdicts[WORDS[type(verdict)]] += 1
                open_s = (record.time - requested_at.get(verdict.job_id, record.time)).total_seconds()
                found.longest_open_s = max(found.longest_open_s, open_s)
            case _:
                pass
    runs = _runs(history)
    starts = Counter(attempt for attempt, _ in runs)
    found.requested = len(requests)
    found.doubled = sum(count - 1 for count in requests.values())
    found.open = sum(job_id not in verdicts for job_id in requests)
    found.several_verdicts = sum(count > 1 for count in verdicts.values())
    found.orphan_ticks = sum(job_id not in requests for job_id in fired)
    found.reruns = sum(attempt > 1 for _, attempt in claims)
    found.attempts_run_twice = sum(count > 1 for attempts in (claims, starts) for count in attempts.values())
    found.unclaimed_runs = len(set(runs) - leases)
    return found


def _runs(history: History) -> list[tuple[Attempt, UUID]]:
    """Attempts that the scanner really began, and under which lease."""
    events = (decoded(record) for record in history.log.get(names.SCANNER, []))
    return [((event.scan_id, event.attempt), event.lease) for event in events if isinstance(event, ScanStarted)]
