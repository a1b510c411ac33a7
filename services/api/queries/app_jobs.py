"""Jobs of applications, as stored."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Raw, Struct

from linstock.messages.asked import JobTold
from linstock.messages.job import After
from linstock.messages.message import NOTHING
from linstock.statuses import PENDING, RETRYING, SCHEDULED
from services.api.dto.app_jobs import JobDetailsDto, JobDto, JobWaitingDto
from services.api.dto.wire import Page
from services.api.heard import Heard
from services.api.paging import Window
from services.api.queries.scans import milliseconds

_TOLD = """
SELECT job_id, job_type, name, queue, status, attempt, requested_at, due, started_at, ended_at, code, message, result,
    worker
FROM app_jobs WHERE job_id = ANY($1) AND workspace = $2
"""
_COUNT = "SELECT coalesce(sum(jobs), 0)::bigint FROM app_job_counts WHERE {conditions}"
# Which rows a page has is found in an index alone, from the end of the list that is nearer.
_PAGE = """
SELECT j.* FROM app_jobs j JOIN (
    SELECT workspace, ordinal FROM app_jobs WHERE {conditions} ORDER BY ordinal {way} LIMIT {limit} OFFSET {offset}
) AS page USING (workspace, ordinal) ORDER BY j.ordinal DESC
"""
_COUNTS = "SELECT queue, status, sum(jobs)::bigint AS jobs FROM app_job_counts WHERE workspace = $1 GROUP BY 1, 2"


class WantedJobs(Struct, frozen=True):
    """None: any."""

    status: str | None = None
    job_type: str | None = None
    queue: str | None = None


async def told(pool: asyncpg.Pool, workspace: str, ids: Sequence[UUID]) -> list[JobTold]:
    """Those that there are, in no order."""
    rows = await pool.fetch(_TOLD, list(ids), workspace)
    now = datetime.now(UTC)
    return [_told(row, now) for row in rows]


async def one(pool: asyncpg.Pool, workspace: str, job_id: UUID) -> JobDetailsDto | None:
    """None when there never was such a job, or it was forgotten."""
    row = await pool.fetchrow("SELECT * FROM app_jobs WHERE job_id = $1 AND workspace = $2", job_id, workspace)
    return None if row is None else _details(row, datetime.now(UTC))


async def page(pool: asyncpg.Pool, workspace: str, wanted: WantedJobs, window: Window) -> Page[JobDto]:
    """The newest first. One whose time has come is listed as Scheduled until it starts, and says that it is Pending."""
    values: list[object] = [workspace]
    conditions = ["workspace = $1"]
    for column, value in (("status", wanted.status), ("job_type", wanted.job_type), ("queue", wanted.queue)):
        if value is not None:
            values.append(value)
            conditions.append(f"{column} = ${len(values)}")
    where = " AND ".join(conditions)
    total: int = await pool.fetchval(_COUNT.format(conditions=where), *values)
    stretch = window.stretch(total)
    limit, offset = f"${len(values) + 1}", f"${len(values) + 2}"
    way = "ASC" if stretch.from_end else "DESC"
    query = _PAGE.format(conditions=where, way=way, limit=limit, offset=offset)
    rows = await pool.fetch(query, *values, stretch.size, stretch.skip)
    now = datetime.now(UTC)
    return window.of([JobDto(**_common(row, now)) for row in rows], total)


async def counts(pool: asyncpg.Pool, workspace: str) -> dict[str, dict[str, int]]:
    """By queue and status."""
    found: dict[str, dict[str, int]] = {}
    for row in await pool.fetch(_COUNTS, workspace):
        found.setdefault(row["queue"], {})[row["status"]] = row["jobs"]
    return found


async def why(pool: asyncpg.Pool, heard: Heard, workspace: str, job_id: UUID) -> JobWaitingDto | None:
    """Why it does not start. None: it runs or has ended."""
    query = "SELECT status, due, waits_for, queue FROM app_jobs WHERE job_id = $1 AND workspace = $2"
    row = await pool.fetchrow(query, job_id, workspace)
    if row is None or row["status"] not in (SCHEDULED, PENDING, RETRYING):
        return None
    workers = len(heard.serving(workspace, row["queue"]))
    if row["waits_for"]:
        parents = [each.job_id for each in msgspec.json.decode(row["waits_for"], type=list[After])]
        return JobWaitingDto(reason="jobs", job_ids=parents, workers=workers)
    if row["due"] and row["due"] > datetime.now(UTC):
        return JobWaitingDto(reason="time", until=row["due"], job_ids=[], workers=workers)
    return JobWaitingDto(reason="worker" if workers else "nobody", job_ids=[], workers=workers)


def status_at(status: str, due: datetime | None, now: datetime) -> str:
    """One whose time has come waits for a worker."""
    return PENDING if status == SCHEDULED and (due is None or due <= now) else status


def _common(row: asyncpg.Record, now: datetime) -> dict[str, Any]:
    return {
        "id": row["job_id"],
        "job_type": row["job_type"],
        "name": row["name"] or row["job_type"],
        "queue": row["queue"],
        "status": status_at(row["status"], row["due"], now),
        "attempt": row["attempt"],
        "retries": row["retries"],
        "priority": row["priority"],
        "requested_at": row["requested_at"],
        "requested_by": row["requested_by"],
        "triggered_by": row["triggered_by"],
        "due": row["due"],
        "started_at": row["started_at"],
        "completed_at": row["ended_at"],
        "duration": milliseconds(row["started_at"], row["ended_at"]),
        "worker": row["worker"],
        "error_code": row["code"],
        "error_message": row["message"],
        "retry_of": row["retry_of"],
        "retried_as": row["retried_as"],
        "filed": row["filed"],
    }


def _details(row: asyncpg.Record, now: datetime) -> JobDetailsDto:
    return JobDetailsDto(
        **_common(row, now),
        parameters=Raw(row["payload"].encode()),
        parameters_version=row["payload_version"],
        result=_json(row["result"]),
        timeout_seconds=row["timeout_s"],
        max_retries=row["max_retries"],
        unique_key=row["unique_key"],
        attempt_started_at=row["attempt_started_at"],
        deadline=row["deadline"],
    )


def _json(stored: str | None) -> Raw:
    return NOTHING if stored is None else Raw(stored.encode())


def _told(row: asyncpg.Record, now: datetime) -> JobTold:
    return JobTold(
        job_id=row["job_id"],
        job_type=row["job_type"],
        name=row["name"],
        queue=row["queue"],
        status=status_at(row["status"], row["due"], now),
        attempt=row["attempt"],
        requested_at=row["requested_at"],
        due=row["due"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        code=row["code"],
        message=row["message"],
        result=_json(row["result"]),
        worker=row["worker"],
    )
