"""Runs, as stored: of a schedule, of a library, or all."""

from uuid import UUID

import asyncpg
from msgspec import Raw

from linstock.messages.job import LIBRARY_SCAN
from linstock.statuses import ENDED
from services.api.dto.schedules import RunResult, ScheduledJobRunDto
from services.api.dto.wire import Page
from services.api.paging import Window
from services.api.queries import blocks
from services.api.queries.blocks import Scope, Wanted
from services.api.queries.scans import milliseconds, paused

_RUNS = """
    SELECT j.job_id, j.schedule_id, s.name AS schedule_name, j.job_type, j.status, j.attempt, j.requested_at,
        j.started_at, j.ended_at, j.message, j.triggered_by, j.requested_by, j.scan_mode, j.library_id, j.library_name,
        j.library_path, j.result, j.paused
    FROM {jobs} LEFT JOIN schedules s ON s.schedule_id = j.schedule_id
"""


async def one(pool: asyncpg.Pool, workspace: str, run_id: UUID) -> ScheduledJobRunDto | None:
    """None when there never was such a run, or it was forgotten."""
    query = f"{_RUNS.format(jobs='jobs j')} WHERE j.job_id = $1 AND j.workspace = $2"
    row = await pool.fetchrow(query, run_id, workspace)
    return _run(row) if row else None


async def page(pool: asyncpg.Pool, scope: Scope, wanted: Wanted, window: Window) -> Page[ScheduledJobRunDto]:
    """The newest first, also those of deleted schedules."""
    rows, total = await blocks.rows(pool, _RUNS, scope, wanted, window)
    return window.of([_run(row) for row in rows], total)


async def filtered(
    pool: asyncpg.Pool,
    workspace: str,
    wanted: Wanted,
    window: Window,
    *,
    library_id: UUID | None,
    schedule_id: UUID | None,
    apart: str | None = None,
) -> Page[ScheduledJobRunDto]:
    """A schedule is of one library for ever: with another one there is nothing in common. No schedule asks for
    what comes by itself."""
    if schedule_id is None:
        whole = blocks.of_workspace(workspace, apart=apart)
        scope = blocks.of_library(workspace, library_id, apart=apart) if library_id else whole
        return await page(pool, scope, wanted, window)
    if apart or (library_id is not None and not await _is_of(pool, schedule_id, library_id)):
        return window.of([], 0)
    return await page(pool, blocks.of_schedule(workspace, schedule_id), wanted, window)


async def _is_of(pool: asyncpg.Pool, schedule_id: UUID, library_id: UUID) -> bool:
    query = "SELECT EXISTS (SELECT FROM schedules WHERE schedule_id = $1 AND library_id = $2)"
    found: bool = await pool.fetchval(query, schedule_id, library_id)
    return found


def _run(row: asyncpg.Record) -> ScheduledJobRunDto:
    return ScheduledJobRunDto(
        id=row["job_id"],
        scheduled_job_id=row["schedule_id"],
        scheduled_job_name=row["schedule_name"],
        job_type=row["job_type"],
        status=row["status"],
        attempt=row["attempt"],
        requested_at=row["requested_at"],
        started_at=row["started_at"],
        completed_at=row["ended_at"],
        duration=milliseconds(row["started_at"], row["ended_at"]),
        error_message=row["message"],
        result=_result(row),
        triggered_by=row["triggered_by"],
        requested_by=row["requested_by"],
        scan_mode=row["scan_mode"],
        library_id=row["library_id"],
        paused=paused(row["paused"]),
    )


def _result(row: asyncpg.Record) -> RunResult | Raw | None:
    if row["status"] not in ENDED:
        return None
    if row["job_type"] != LIBRARY_SCAN:
        return None if row["result"] is None else Raw(row["result"].encode())
    return RunResult(
        status=row["status"],
        library_id=row["library_id"],
        library_name=row["library_name"],
        library_path=row["library_path"],
        run_id=row["job_id"],
        duration=milliseconds(row["started_at"], row["ended_at"]),
        message=row["message"],
    )
