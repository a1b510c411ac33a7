"""Runs, as stored."""

from uuid import UUID

import asyncpg

from services.api.dto.schedules import ScheduledJobRunDto
from services.api.queries.schedules import run_of


async def one(pool: asyncpg.Pool, workspace: str, run_id: UUID) -> ScheduledJobRunDto | None:
    row = await pool.fetchrow(
        "SELECT j.*, s.name AS schedule_name FROM jobs j LEFT JOIN schedules s USING (schedule_id)"
        " WHERE j.job_id = $1 AND j.workspace = $2",
        run_id,
        workspace,
    )
    return run_of(row, row["schedule_name"]) if row else None
