"""Files by what they hold, as stored. Only what was hashed is known; of what is missing nothing is said."""

from uuid import UUID

import asyncpg
from msgspec import UNSET

from services.api.dto.contents import DuplicateDto, RottenFileDto, SameFileDto
from services.api.dto.wire import Page
from services.api.paging import Window

SHOWN_FILES = 20

# What hangs together: hashes of files that are there, in collections that are, in libraries that are.
_THERE = """
    FROM file_hashes h JOIN collections c USING (collection_id)
    WHERE h.workspace = $1 AND h.state = 'holds' AND c.state = 'present'
        AND ($2::uuid IS NULL OR h.library_id = $2)
        AND h.library_id NOT IN (SELECT library_id FROM libraries WHERE workspace = $1 AND deleted_at IS NOT NULL)
"""
_PATH = "concat_ws('/', nullif(c.path, ''), nullif(h.name, ''))"
_GROUPS = f"""
    WITH same AS (
        SELECT h.hash, min(h.size_bytes) AS size_bytes, count(*) AS files {_THERE} AND h.size_bytes > 0
        GROUP BY h.hash HAVING count(*) > 1
    )
    SELECT same.*, count(*) OVER () AS total FROM same
    ORDER BY (files - 1) * size_bytes DESC, hash LIMIT $3 OFFSET $4
"""  # noqa: S608  # our own words
_FILES = f"""
    SELECT * FROM (
        SELECT h.hash, h.collection_id, h.library_id, {_PATH} AS path,
            row_number() OVER (PARTITION BY h.hash ORDER BY {_PATH} COLLATE "C", h.collection_id) AS place
        {_THERE} AND h.hash = ANY ($3)
    ) AS files WHERE place <= {SHOWN_FILES} ORDER BY hash, place
"""  # noqa: S608
_ROTTEN = f"""
    SELECT h.*, {_PATH} AS path, count(*) OVER () AS total {_THERE} AND h.found IS NOT NULL
    ORDER BY {_PATH} COLLATE "C", h.collection_id LIMIT $3 OFFSET $4
"""


async def duplicates(pool: asyncpg.Pool, workspace: str, library_id: UUID | None, window: Window) -> Page[DuplicateDto]:
    """Those first of which most can be reclaimed."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        groups = await connection.fetch(_GROUPS, workspace, library_id, window.size, window.offset)
        total = groups[0]["total"] if groups else 0
        if not groups and window.offset:
            first = await connection.fetch(_GROUPS, workspace, library_id, 1, 0)
            total = first[0]["total"] if first else 0
        hashes = [group["hash"] for group in groups]
        files: dict[bytes, list[SameFileDto]] = {each: [] for each in hashes}
        for row in await connection.fetch(_FILES, workspace, library_id, hashes) if hashes else ():
            same = SameFileDto(collection_id=row["collection_id"], library_id=row["library_id"], path=row["path"])
            files[row["hash"]].append(same)
    return window.of(
        [
            DuplicateDto(
                hash=group["hash"].hex(),
                size_bytes=group["size_bytes"],
                count=group["files"],
                reclaimable_bytes=(group["files"] - 1) * group["size_bytes"],
                files=files[group["hash"]],
            )
            for group in groups
        ],
        total,
    )


async def rot(pool: asyncpg.Pool, workspace: str, library_id: UUID, window: Window) -> Page[RottenFileDto]:
    """By path."""
    rows = await pool.fetch(_ROTTEN, workspace, library_id, window.size, window.offset)
    if not rows and window.offset:
        first = await pool.fetch(_ROTTEN, workspace, library_id, 1, 0)
        return window.of([], first[0]["total"] if first else 0)
    return window.of([_rotten(row) for row in rows], rows[0]["total"] if rows else 0)


def _rotten(row: asyncpg.Record) -> RottenFileDto:
    return RottenFileDto(
        collection_id=row["collection_id"],
        path=row["path"],
        name=row["name"],
        size_bytes=row["size_bytes"],
        expected=row["hash"].hex(),
        found=row["found"].hex(),
        hashed_at=row["hashed_at"],
        since=row["rotten_since"],
        name_bytes=UNSET if row["name"].encode() == row["name_key"] else row["name_key"],
    )
