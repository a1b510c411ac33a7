"""Schedules with what their runs came to. Libraries (another log) are joined here."""

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from linstock import cron, names
from linstock.messages.rules import Rules, Timing
from services.api.dto.schedule_rules import shown
from services.api.dto.schedules import Parameters, ScheduledJobDto
from services.api.dto.wire import Page
from services.api.paging import Window
from services.api.queries.instants import next_instant

_SCHEDULES = """
    FROM schedules s LEFT JOIN run_totals t ON t.scope = s.workspace || '/' || s.schedule_id
    LEFT JOIN libraries l ON l.library_id = s.library_id
    WHERE s.workspace = $1 AND s.deleted_at IS NULL AND l.deleted_at IS NULL
"""
_COLUMNS = """
    s.schedule_id, s.name, s.description, s.job_type, s.library_id, s.expression, s.zone, s.enabled, s.cursor,
    s.priority, s.timeout_s, s.max_retries, s.created_at, s.updated_at, s.scan_mode, s.edition, s.created_by,
    s.updated_by, s.days, s.clock_changes, s.rules, s.paused_at, s.paused_by, s.pause_reason, s.resume_at,
    t.run_count, t.success_count, t.failure_count, t.last_run_at, t.last_run_status, t.last_run_duration_ms,
    t.last_error_message
"""


class Wanted(Struct, frozen=True):
    """None: any."""

    library_id: UUID | None = None
    enabled: bool | None = None


async def one(pool: asyncpg.Pool, workspace: str, schedule_id: UUID, now: datetime) -> ScheduledJobDto | None:
    row = await pool.fetchrow(f"SELECT {_COLUMNS} {_SCHEDULES} AND s.schedule_id = $2", workspace, schedule_id)
    return _schedule(row, now) if row else None


async def in_force(pool: asyncpg.Pool, workspace: str, schedule_id: UUID) -> tuple[Timing, Rules] | None:
    """What `one` is told from: when it fires, and under which rules."""
    query = f"SELECT s.expression, s.zone, s.days, s.clock_changes, s.rules {_SCHEDULES} AND s.schedule_id = $2"
    row = await pool.fetchrow(query, workspace, schedule_id)
    if row is None:
        return None
    timing = Timing(
        expression=row["expression"], zone=row["zone"], days=row["days"], clock_changes=row["clock_changes"]
    )
    return timing, _rules(row["rules"])


async def of_library(pool: asyncpg.Pool, workspace: str, library_id: UUID, now: datetime) -> ScheduledJobDto | None:
    """Its own one; without that, the oldest of those that were added."""
    query = f"""
        SELECT {_COLUMNS} {_SCHEDULES} AND s.library_id = $2
        ORDER BY (s.schedule_id = $3) DESC, s.created_at, s.schedule_id LIMIT 1
    """
    row = await pool.fetchrow(query, workspace, library_id, names.schedule_of(library_id))
    return _schedule(row, now) if row else None


async def page(
    pool: asyncpg.Pool, workspace: str, wanted: Wanted, window: Window, now: datetime
) -> Page[ScheduledJobDto]:
    """By name."""
    where = f"""
        {_SCHEDULES} AND ($2::uuid IS NULL OR s.library_id = $2) AND ($3::boolean IS NULL OR s.enabled = $3)
    """
    values = (workspace, wanted.library_id, wanted.enabled)
    total = await pool.fetchval(f"SELECT count(*) {where}", *values)
    query = f'SELECT {_COLUMNS} {where} ORDER BY s.name COLLATE "C", s.schedule_id LIMIT $4 OFFSET $5'
    rows = await pool.fetch(query, *values, window.size, window.offset)
    return window.of([_schedule(row, now) for row in rows], total)


async def exists(pool: asyncpg.Pool, workspace: str, schedule_id: UUID) -> bool:
    """Also when it is deleted."""
    query = "SELECT EXISTS (SELECT FROM schedules WHERE schedule_id = $1 AND workspace = $2)"
    found: bool = await pool.fetchval(query, schedule_id, workspace)
    return found


def next_run(row: Any, now: datetime) -> datetime | None:
    """When an enabled schedule fires next; instants up to its cursor are decided already. None while it is paused
    without an end."""
    after = max(now, row["cursor"])
    if row["paused_at"] is not None and row["resume_at"] is not None:
        after = max(after, row["resume_at"])
    if not row["enabled"] or (row["paused_at"] is not None and row["resume_at"] is None):
        return None
    timing = Timing(
        expression=row["expression"], zone=row["zone"], days=row["days"], clock_changes=row["clock_changes"]
    )
    return next_instant(timing, _rules(row["rules"]), after)


@lru_cache(maxsize=1024)
def _rules(text: str) -> Rules:
    return msgspec.json.decode(text, type=Rules)


def _interval_minutes(expression: str) -> int | None:
    """Of an interval of whole minutes."""
    try:
        interval = cron.every(expression)
    except cron.InvalidCron:
        return None
    if interval is None or interval.phase_s or interval.period_s % 60:
        return None
    return interval.period_s // 60


def _schedule(row: asyncpg.Record, now: datetime) -> ScheduledJobDto:
    minutes, interval_minutes = row["timeout_s"] / 60, _interval_minutes(row["expression"])
    return ScheduledJobDto(
        id=row["schedule_id"],
        name=row["name"],
        description=row["description"],
        job_type=row["job_type"],
        schedule_type="Interval" if interval_minutes else "Cron",
        cron_expression=row["expression"],
        time_zone=row["zone"],
        interval_minutes=interval_minutes,
        is_enabled=row["enabled"],
        is_paused=row["paused_at"] is not None,
        paused_at=row["paused_at"],
        paused_by=row["paused_by"],
        pause_reason=row["pause_reason"],
        resume_at=row["resume_at"],
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
        scan_mode=row["scan_mode"],
        version=row["edition"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        updated_at=row["updated_at"],
        updated_by=row["updated_by"],
        days=row["days"],
        clock_changes=row["clock_changes"],
        **shown(_rules(row["rules"])),
    )
