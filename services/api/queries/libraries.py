"""Libraries, as stored."""

from typing import get_args
from uuid import UUID

import asyncpg
import msgspec
from msgspec.structs import asdict

from linstock.messages.library import RemovalGuard
from services.api.dto.libraries import LibraryDto, LibrarySort, WatchingDto
from services.api.dto.removals import GuardDto, HeldRemovalsDto
from services.api.dto.wire import Page
from services.api.paging import Window

_COLUMNS = """
    library_id, name, path, description, auto_scan, cron_expression, time_zone, include_subfolders, exclude_patterns,
    extensions, created_at, updated_at, version, guard, watch,
    purge_missing_after_days, h.*
"""
_HELD = """
    LEFT JOIN LATERAL (
        SELECT scan_id AS held_by, count AS held_count, reason AS held_reason, message AS held_message, held_at
        FROM holds WHERE holds.library_id = libraries.library_id AND state = 'held' ORDER BY held_at DESC LIMIT 1
    ) h ON true
"""
_ORDERS = {
    "name": 'name COLLATE "C", library_id',
    "-name": 'name COLLATE "C" DESC, library_id DESC',
    "createdAt": "created_at, library_id",
    "-createdAt": "created_at DESC, library_id DESC",
}
assert set(_ORDERS) == set(get_args(LibrarySort))


async def one(pool: asyncpg.Pool, workspace: str, library_id: UUID) -> LibraryDto | None:
    """None when it was never there, or is deleted."""
    row = await pool.fetchrow(
        f"SELECT {_COLUMNS} FROM libraries {_HELD} WHERE library_id = $1 AND workspace = $2 AND deleted_at IS NULL",  # noqa: S608
        library_id,
        workspace,
    )
    return _library(row) if row else None


async def page(pool: asyncpg.Pool, workspace: str, text: str, sort: LibrarySort, window: Window) -> Page[LibraryDto]:
    """`text` is part of the name, the path or the description, whatever its case."""
    where = """
        WHERE workspace = $1 AND deleted_at IS NULL
        AND ($2::text = '' OR strpos(lower(concat_ws(chr(10), name, path, description)), lower($2)) > 0)
    """
    total = await pool.fetchval(f"SELECT count(*) FROM libraries {where}", workspace, text)  # noqa: S608
    order = _ORDERS[sort]
    query = f"SELECT {_COLUMNS} FROM libraries {_HELD} {where} ORDER BY {order} LIMIT $3 OFFSET $4"  # noqa: S608
    rows = await pool.fetch(query, workspace, text, window.size, window.offset)
    return window.of([_library(row) for row in rows], total)


def _library(row: asyncpg.Record) -> LibraryDto:
    return LibraryDto(
        id=row["library_id"],
        name=row["name"],
        path=row["path"],
        description=row["description"],
        auto_scan=row["auto_scan"],
        cron_expression=row["cron_expression"],
        time_zone=row["time_zone"],
        include_subfolders=row["include_subfolders"],
        exclude_patterns=msgspec.json.decode(row["exclude_patterns"], type=list[str]),
        extensions=msgspec.json.decode(row["extensions"], type=list[str]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
        guard=_guard(row["guard"]),
        held_removals=_held(row),
        watch=row["watch"],
        purge_missing_after_days=row["purge_missing_after_days"],
        watching=WatchingDto(mode="off"),  # what scanners say of it: services/api/watching.py
    )


def _guard(stored: str) -> GuardDto:
    return GuardDto(**asdict(msgspec.json.decode(stored, type=RemovalGuard)))


def _held(row: asyncpg.Record) -> HeldRemovalsDto | None:
    if row["held_by"] is None:
        return None
    return HeldRemovalsDto(
        scan_id=row["held_by"],
        count=row["held_count"],
        reason=row["held_reason"],
        message=row["held_message"],
        held_at=row["held_at"],
    )
