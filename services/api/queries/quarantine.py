"""Files in quarantine, as stored."""

from uuid import UUID

import asyncpg
from msgspec import UNSET

from services.api.dto.quarantine import QuarantinedFileDto
from services.api.dto.wire import Page
from services.api.paging import Window

_TOTAL = "SELECT coalesce(sum(quarantined), 0)::bigint FROM read_counts WHERE library_id = $1 AND workspace = $2"
_PAGE = """
    SELECT q.collection_id, q.name, q.name_key, q.size_bytes, q.code, q.message, q.since, coalesce(c.path, '') AS path
    FROM quarantine q LEFT JOIN collections c ON c.collection_id = q.collection_id
    WHERE q.library_id = $1 AND q.workspace = $2 AND q.state = 'held'
    ORDER BY q.since DESC, q.collection_id, q.name_key LIMIT $3 OFFSET $4
"""


async def page(pool: asyncpg.Pool, workspace: str, library_id: UUID, window: Window) -> Page[QuarantinedFileDto]:
    """The newest first."""
    total: int = await pool.fetchval(_TOTAL, library_id, workspace)
    rows = await pool.fetch(_PAGE, library_id, workspace, window.size, window.offset)
    return window.of([_file(row) for row in rows], total)


def _file(row: asyncpg.Record) -> QuarantinedFileDto:
    return QuarantinedFileDto(
        collection_id=row["collection_id"],
        path="/".join(part for part in (row["path"], row["name"]) if part),
        name=row["name"],
        size_bytes=row["size_bytes"],
        code=row["code"],
        message=row["message"],
        since=row["since"],
        name_bytes=UNSET if row["name"].encode() == row["name_key"] else row["name_key"],
    )
