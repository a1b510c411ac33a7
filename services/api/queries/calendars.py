"""Calendars, as stored."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import asyncpg
import msgspec

from linstock.messages.calendar import NAME
from linstock.messages.rules import CalendarDays
from services.api.dto.calendars import CalendarDto, ListedCalendarDto
from services.api.dto.wire import Page
from services.api.paging import Window

_COLUMNS = """
    c.calendar_id, c.name, c.description, c.day_count, c.first_day, c.last_day, c.version, c.created_at, c.created_by,
    c.updated_at, c.updated_by, (
        SELECT count(*) FROM schedules s WHERE s.workspace = c.workspace AND s.deleted_at IS NULL
        AND s.calendars <> '' AND c.name = ANY(string_to_array(s.calendars, ' '))
    ) AS used_by
"""
_CALENDARS = "FROM calendars c WHERE c.workspace = $1 AND c.deleted_at IS NULL"
_NAME = re.compile(NAME)


async def one(pool: asyncpg.Pool, workspace: str, name: str) -> CalendarDto | None:
    if not _NAME.fullmatch(name):
        return None
    query = f"SELECT {_COLUMNS}, c.days {_CALENDARS} AND c.name = $2"
    row = await pool.fetchrow(query, workspace, name)
    return CalendarDto(**_listed(row), days=_days(row)) if row else None


async def page(pool: asyncpg.Pool, workspace: str, window: Window) -> Page[ListedCalendarDto]:
    """By name."""
    total = await pool.fetchval(f"SELECT count(*) {_CALENDARS}", workspace)
    query = f'SELECT {_COLUMNS} {_CALENDARS} ORDER BY c.name COLLATE "C" LIMIT $2 OFFSET $3'
    rows = await pool.fetch(query, workspace, window.size, window.offset)
    return window.of([ListedCalendarDto(**_listed(row)) for row in rows], total)


async def copies(pool: asyncpg.Pool, workspace: str, names: Sequence[str]) -> list[CalendarDays | None]:
    """As schedules keep them; None for a name that there is not."""
    asked = [name for name in names if _NAME.fullmatch(name)]
    query = f"SELECT c.name, c.version, c.days {_CALENDARS} AND c.name = ANY($2)"  # our own columns
    rows = {row["name"]: row for row in await pool.fetch(query, workspace, asked)}
    return [_copy(rows[name]) if name in rows else None for name in names]


def _copy(row: asyncpg.Record) -> CalendarDays:
    return CalendarDays(name=row["name"], version=row["version"], days=tuple(_days(row)))


def _days(row: asyncpg.Record) -> list[date]:
    return msgspec.json.decode(row["days"], type=list[date])


def _listed(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "id": row["calendar_id"],
        "name": row["name"],
        "description": row["description"],
        "day_count": row["day_count"],
        "first_day": date.fromisoformat(row["first_day"]) if row["first_day"] else None,
        "last_day": date.fromisoformat(row["last_day"]) if row["last_day"] else None,
        "used_by": row["used_by"],
        "version": row["version"],
        "created_at": row["created_at"],
        "created_by": row["created_by"],
        "updated_at": row["updated_at"],
        "updated_by": row["updated_by"],
    }
