"""Libraries and their collections, as stored."""

from uuid import UUID

import asyncpg
from msgspec import UNSET

from services.api.dto.collections import CollectionDto
from services.api.dto.libraries import LibraryDto
from services.api.dto.wire import Page
from services.api.paging import Window

_COLUMNS = "library_id, name, path, description, auto_scan, cron_expression, time_zone, created_at, updated_at, version"


async def one(pool: asyncpg.Pool, workspace: str, library_id: UUID) -> LibraryDto | None:
    """None when it was never there, or is deleted."""
    row = await pool.fetchrow(
        f"SELECT {_COLUMNS} FROM libraries WHERE library_id = $1 AND workspace = $2 AND deleted_at IS NULL",  # noqa: S608
        library_id,
        workspace,
    )
    return _library(row) if row else None


async def page(pool: asyncpg.Pool, workspace: str, window: Window) -> Page[LibraryDto]:
    total = await pool.fetchval("SELECT count(*) FROM libraries WHERE workspace = $1 AND deleted_at IS NULL", workspace)
    rows = await pool.fetch(
        f"SELECT {_COLUMNS} FROM libraries WHERE workspace = $1 AND deleted_at IS NULL"  # noqa: S608
        ' ORDER BY name COLLATE "C", library_id LIMIT $2 OFFSET $3',
        workspace,
        window.size,
        window.offset,
    )
    return window.of([_library(row) for row in rows], total)


async def collections(pool: asyncpg.Pool, workspace: str, library_id: UUID, window: Window) -> Page[CollectionDto]:
    total = await pool.fetchval(
        "SELECT count(*) FROM collections WHERE library_id = $1 AND workspace = $2", library_id, workspace
    )
    rows = await pool.fetch(
        # The root has no name of its own: it is the library.
        "SELECT c.collection_id, coalesce(nullif(c.name, ''), l.name, '') AS name,"
        " c.path, c.kind, c.image_count, c.size_bytes, c.state, c.path_bytes"
        " FROM collections c LEFT JOIN libraries l USING (library_id)"
        ' WHERE c.library_id = $1 AND c.workspace = $2 ORDER BY c.path COLLATE "C", c.collection_id'
        " LIMIT $3 OFFSET $4",
        library_id,
        workspace,
        window.size,
        window.offset,
    )
    return window.of([_collection(row) for row in rows], total)


def _library(row: asyncpg.Record) -> LibraryDto:
    return LibraryDto(
        id=row["library_id"],
        name=row["name"],
        path=row["path"],
        description=row["description"],
        auto_scan=row["auto_scan"],
        cron_expression=row["cron_expression"],
        time_zone=row["time_zone"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
    )


def _collection(row: asyncpg.Record) -> CollectionDto:
    return CollectionDto(
        id=row["collection_id"],
        name=row["name"],
        path=row["path"],
        kind=row["kind"],
        image_count=row["image_count"],
        size_bytes=row["size_bytes"],
        state=row["state"],
        path_bytes=UNSET if row["path_bytes"] is None else row["path_bytes"],
    )
