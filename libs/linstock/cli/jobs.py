"""Jobs, queues and workers as people read them."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from linstock.cli import watch, words
from linstock.cli.exits import Exit
from linstock.cli.screen import Column, Screen
from linstock.statuses import COMPLETED, ENDED

if TYPE_CHECKING:
    from linstock.cli.api import Api, Json

COLUMNS = (
    Column("ID", lambda job: words.short(job["id"])),
    Column("WHAT", lambda job: job["name"], folds=True),
    Column("QUEUE", lambda job: job["queue"]),
    Column("STATUS", lambda job: job["status"]),
    Column("ATTEMPT", lambda job: job["attempt"] or "-", right=True),
    Column("ASKED FOR", lambda job: words.moment(job["requestedAt"])),
    Column("TOOK", lambda job: words.duration(job.get("duration")), right=True),
    Column("ERROR", lambda job: job.get("errorMessage") or "", folds=True),
)
QUEUES = (
    Column("QUEUE", lambda queue: queue["queue"]),
    Column("WAITING", lambda queue: _count(queue, "Pending", "Scheduled", "Retrying"), right=True),
    Column("RUNNING", lambda queue: _count(queue, "Running"), right=True),
    Column("COMPLETED", lambda queue: _count(queue, "Completed"), right=True),
    Column("FAILED", lambda queue: _count(queue, "Failed", "Timeout"), right=True),
    Column("WORKERS", lambda queue: queue["workers"], right=True),
)
WORKERS = (
    Column("WORKER", lambda worker: worker["name"], folds=True),
    Column("HOST", lambda worker: worker["host"]),
    Column("QUEUES", lambda worker: ", ".join(worker["queues"]), folds=True),
    Column("SLOTS", lambda worker: worker["slots"], right=True),
    Column("IN HAND", lambda worker: len(worker["running"]), right=True),
    Column("HEARD", lambda worker: words.moment(worker["heardAt"])),
)


def wait_and_show(api: "Api", screen: Screen, job_id: str) -> int:
    """Wait for the end, show it, and return the exit code."""
    return show(screen, watch.until_ended(api, job_id, kind="jobs"))


def show(screen: Screen, job: "Json") -> int:
    """Everything about one job. Returns the exit code that says how it ended."""
    screen.one(job, _fields(job))
    return Exit.FAILED if job["status"] in ENDED and job["status"] != COMPLETED else Exit.OK


def _fields(job: "Json") -> Iterator[tuple[str, object]]:
    yield "job", job["id"]
    yield "status", job["status"]
    yield "error", job.get("errorMessage") and f"{job['errorCode']}: {job['errorMessage']}"
    yield "waits", _waits(job.get("waitingFor"))
    yield "what", job["name"]
    yield "type", job["jobType"] if job["jobType"] != job["name"] else None
    yield "queue", f"{job['queue']}, priority {job['priority']}"
    yield (
        "attempt",
        f"{job['attempt']}, {words.counted(job['retries'], 'retry', 'retries')}" if job["attempt"] else None,
    )
    yield "parameters", _compact(job.get("parameters"))
    yield "result", _compact(job.get("result"))
    yield "asked for", f"{words.moment(job['requestedAt'])} by {job['requestedBy']}"
    yield "started", words.moment(job["startedAt"]) if job.get("startedAt") else None
    yield "took", words.duration(job["duration"]) if job.get("duration") is not None else None
    yield "worker", job.get("worker")
    yield "unique", job.get("uniqueKey")
    yield "does again", job.get("retryOf")
    yield "done again as", job.get("retriedAs")


def _waits(waiting: "Json | None") -> str | None:
    match waiting:
        case {"reason": "time", "until": until}:
            return f"until {words.moment(until)}"
        case {"reason": "jobs", "jobIds": ids}:
            return f"for {', '.join(words.short(each) for each in ids)} to end"
        case {"reason": "nobody"}:
            return "no worker serves its queue: linstock worker MODULE --queues …"
        case {"workers": workers}:
            return f"for a free slot of {words.counted(workers, 'worker')}"
        case _:
            return None


def _compact(value: object) -> str | None:
    return None if value in (None, {}) else json.dumps(value, ensure_ascii=False)


def _count(queue: "Json", *statuses: str) -> int:
    return sum(queue["counts"].get(status, 0) for status in statuses)
