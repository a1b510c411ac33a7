"""Why a run does not start, as far as the read models know."""

from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from linstock.messages.job import LIBRARY_SCAN
from services.api.dto.progress import WaitingDto

MOST = 20
_OPEN = "('Pending', 'Retrying', 'Running', 'Paused')"


async def why(pool: asyncpg.Pool, workspace: str, run_id: UUID) -> WaitingDto | None:
    """None: it runs, rests or has ended."""
    query = "SELECT * FROM jobs WHERE job_id = $1 AND workspace = $2 AND status IN ('Pending', 'Retrying')"
    job = await pool.fetchrow(query, run_id, workspace)
    if job is None:
        return None
    if job["due"] and job["due"] > datetime.now(UTC):
        return WaitingDto(reason="time", until=job["due"], run_ids=[])
    if job["job_type"] == LIBRARY_SCAN and (earlier := await _earlier(pool, job)):
        return WaitingDto(reason="run", run_ids=earlier)
    if job["device"]:
        return WaitingDto(reason="device", device=job["device"], run_ids=await _on(pool, workspace, job["device"]))
    return WaitingDto(reason="worker", run_ids=[])


async def _earlier(pool: asyncpg.Pool, job: asyncpg.Record) -> list[UUID]:
    rows = await pool.fetch(
        f"SELECT job_id FROM jobs WHERE library_id = $1 AND library_ordinal < $2 AND status IN {_OPEN}"  # noqa: S608
        " AND job_type = 'LibraryScan' ORDER BY library_ordinal LIMIT $3",
        job["library_id"],
        job["library_ordinal"],
        MOST,
    )
    return [row["job_id"] for row in rows]


async def _on(pool: asyncpg.Pool, workspace: str, device: str) -> list[UUID]:
    """Of this workspace: others are nobody's business."""
    rows = await pool.fetch(
        "SELECT job_id FROM jobs WHERE device = $1 AND workspace = $2 AND status = 'Running'"
        " ORDER BY started_at LIMIT $3",
        device,
        workspace,
        MOST,
    )
    return [row["job_id"] for row in rows]
