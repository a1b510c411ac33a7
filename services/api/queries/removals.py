"""What the hold of a library proposes, as stored."""

from uuid import UUID

import asyncpg

from services.api.dto.collections import CollectionDto
from services.api.dto.wire import Page
from services.api.paging import Window
from services.api.queries.collections import COLLECTION_COLUMNS, COLLECTION_JOINS, collection_of

# Of the newest hold that waits; there is one at a time for each scanner of the library.
_PROPOSED = f"""
    FROM proposals p JOIN collections c USING (collection_id) {COLLECTION_JOINS}
    WHERE (p.scan_id, p.attempt) IN (
        SELECT scan_id, attempt FROM holds WHERE library_id = $1 AND workspace = $2 AND state = 'held'
    )
"""  # noqa: S608  # our own words


async def page(pool: asyncpg.Pool, workspace: str, library_id: UUID, window: Window) -> Page[CollectionDto]:
    """By path."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        total = await connection.fetchval(f"SELECT count(*) {_PROPOSED}", library_id, workspace)
        query = f"""
            SELECT {COLLECTION_COLUMNS} {_PROPOSED} ORDER BY c.path COLLATE "C", c.collection_id LIMIT $3 OFFSET $4
        """
        rows = await connection.fetch(query, library_id, workspace, window.size, window.offset)
    return window.of([collection_of(row) for row in rows], total)
