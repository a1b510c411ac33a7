"""Versions of a schedule's rules, as stored."""

from uuid import UUID

import asyncpg
import msgspec

from linstock.messages.rules import Rules, Timing
from services.api.dto.ticks import ScheduledJobVersionDto
from services.api.dto.wire import Page
from services.api.paging import Window

_PAGE = """
    SELECT version, edition, name, timing, rules, made_at, made_by, cursor, deleted_by,
        coalesce(deleted_at, lead(made_at) OVER (ORDER BY version)) AS until
    FROM schedule_versions WHERE schedule_id = $1 AND workspace = $2
    ORDER BY version DESC LIMIT $3 OFFSET $4
"""
_COUNT = "SELECT count(*) FROM schedule_versions WHERE schedule_id = $1 AND workspace = $2"


async def page(pool: asyncpg.Pool, workspace: str, schedule_id: UUID, window: Window) -> Page[ScheduledJobVersionDto]:
    """The newest first; also of a deleted schedule."""
    total = await pool.fetchval(_COUNT, schedule_id, workspace)
    rows = await pool.fetch(_PAGE, schedule_id, workspace, window.size, window.offset)
    return window.of([_version(row) for row in rows], total)


def _version(row: asyncpg.Record) -> ScheduledJobVersionDto:
    timing = msgspec.json.decode(row["timing"], type=Timing)
    rules = msgspec.json.decode(row["rules"], type=Rules)
    return ScheduledJobVersionDto(
        version=row["version"],
        edition=row["edition"],
        name=row["name"],
        cron_expression=timing.expression,
        time_zone=timing.zone,
        calendars=[copy.name for copy in rules.calendars],
        since=row["made_at"],
        changed_by=row["made_by"],
        applies_after=row["cursor"],
        until=row["until"],
        deleted_by=row["deleted_by"],
    )
