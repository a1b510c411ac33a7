"""Jobs of applications, as stored."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from msgspec import Raw

from linstock.messages.asked import JobTold
from linstock.messages.message import NOTHING

SCHEDULED, PENDING = "Scheduled", "Pending"

_TOLD = """
SELECT job_id, job_type, name, queue, status, attempt, requested_at, due, started_at, ended_at, code, message, result,
    worker
FROM app_jobs WHERE job_id = ANY($1) AND workspace = $2
"""


async def told(pool: asyncpg.Pool, workspace: str, ids: Sequence[UUID]) -> list[JobTold]:
    """Those that there are, in no order."""
    rows = await pool.fetch(_TOLD, list(ids), workspace)
    now = datetime.now(UTC)
    return [_told(row, now) for row in rows]


def status_at(status: str, due: datetime | None, now: datetime) -> str:
    """One whose time has come waits for a worker."""
    return PENDING if status == SCHEDULED and (due is None or due <= now) else status


def _told(row: asyncpg.Record, now: datetime) -> JobTold:
    result = row["result"]
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
        result=NOTHING if result is None else Raw(result.encode()),
        worker=row["worker"],
    )
