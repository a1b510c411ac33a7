"""Schedules with what their runs came to, and the runs. Libraries (another log) are joined here."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Raw

from linstock import cron
from services.api.dto.schedules import Parameters, RunResult, ScheduledJobDto, ScheduledJobRunDto
from services.api.dto.wire import Page
from services.api.paging import Window
from services.api.queries.scans import milliseconds

_SCHEDULES = """
    FROM schedules s LEFT JOIN run_totals t ON t.schedule_id = s.schedule_id
    LEFT JOIN libraries l ON l.library_id = s.library_id
    WHERE s.workspace = $1 AND s.deleted_at IS NULL AND l.deleted_at IS NULL
"""
_COLUMNS = """
    s.*, t.run_count, t.success_count, t.failure_count, t.last_run_at, t.last_run_status, t.last_run_duration_ms,
    t.last_error_message
"""
_ENDED = ("Completed", "Failed", "Timeout", "Cancelled")


async def one(pool: asyncpg.Pool, workspace: str, schedule_id: UUID, now: datetime) -> ScheduledJobDto | None:
    return await _first(pool, "s.schedule_id = $2", workspace, schedule_id, now)


async def of_library(pool: asyncpg.Pool, workspace: str, library_id: UUID, now: datetime) -> ScheduledJobDto | None:
    return await _first(pool, "s.library_id = $2", workspace, library_id, now)


async def _first(
    pool: asyncpg.Pool, condition: str, workspace: str, wanted: UUID, now: datetime
) -> ScheduledJobDto | None:
    query = f"SELECT {_COLUMNS} {_SCHEDULES} AND {condition} ORDER BY s.schedule_id LIMIT 1"
    row = await pool.fetchrow(query, workspace, wanted)
    return _schedule(row, now) if row else None


async def page(pool: asyncpg.Pool, workspace: str, window: Window, now: datetime) -> Page[ScheduledJobDto]:
    total = await pool.fetchval(f"SELECT count(*) {_SCHEDULES}", workspace)
    query = f'SELECT {_COLUMNS} {_SCHEDULES} ORDER BY s.name COLLATE "C", s.schedule_id LIMIT $2 OFFSET $3'
    rows = await pool.fetch(query, workspace, window.size, window.offset)
    return window.of([_schedule(row, now) for row in rows], total)


async def runs(
    pool: asyncpg.Pool, workspace: str, schedule_id: UUID, window: Window
) -> Page[ScheduledJobRunDto] | None:
    """The newest first, also those of a deleted schedule. None when there never was such a schedule."""
    name = await pool.fetchval(
        "SELECT name FROM schedules WHERE schedule_id = $1 AND workspace = $2", schedule_id, workspace
    )
    if name is None:
        return None
    total = await pool.fetchval(
        "SELECT count(*) FROM jobs WHERE schedule_id = $1 AND workspace = $2", schedule_id, workspace
    )
    rows = await pool.fetch(
        "SELECT j.*, s.counts FROM jobs j LEFT JOIN scans s ON s.scan_id = j.job_id"
        " WHERE j.schedule_id = $1 AND j.workspace = $2"
        " ORDER BY j.requested_at DESC, j.job_id DESC LIMIT $3 OFFSET $4",
        schedule_id,
        workspace,
        window.size,
        window.offset,
    )
    return window.of([run_of(row, name) for row in rows], total)


def next_run(row: Any, now: datetime) -> datetime | None:
    """When an enabled schedule fires next; instants up to its cursor are decided already."""
    if not row["enabled"]:
        return None
    try:
        return cron.next_instant(row["expression"], row["zone"], max(now, row["cursor"]))
    except cron.InvalidCron:
        return None


def _schedule(row: asyncpg.Record, now: datetime) -> ScheduledJobDto:
    minutes = row["timeout_s"] / 60
    return ScheduledJobDto(
        id=row["schedule_id"],
        name=row["name"],
        description=row["description"],
        job_type=row["job_type"],
        schedule_type="Cron",
        cron_expression=row["expression"],
        time_zone=row["zone"],
        interval_minutes=None,
        is_enabled=row["enabled"],
        parameters=Parameters(LibraryId=row["library_id"]),
        last_run_at=row["last_run_at"],
        next_run_at=next_run(row, now),
        last_run_duration=row["last_run_duration_ms"],
        last_run_status=row["last_run_status"],
        run_count=row["run_count"] or 0,
        success_count=row["success_count"] or 0,
        failure_count=row["failure_count"] or 0,
        last_error_message=row["last_error_message"],
        priority=row["priority"],
        timeout_minutes=int(minutes) if minutes.is_integer() else minutes,
        max_retry_attempts=row["max_retries"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def run_of(row: asyncpg.Record, schedule_name: str | None) -> ScheduledJobRunDto:
    return ScheduledJobRunDto(
        id=row["job_id"],
        scheduled_job_id=row["schedule_id"],
        scheduled_job_name=schedule_name,
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
    )


def _result(row: asyncpg.Record) -> RunResult | Raw | None:
    if row["status"] not in _ENDED:
        return None
    if row["library_id"] is None:
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
