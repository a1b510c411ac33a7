"""The cover of a collection, as stored."""

from uuid import UUID

import asyncpg
from msgspec import Struct


class Cover(Struct, frozen=True):
    """Of a collection that is present or missing. None of the rest: its images were not read yet. Without a `hash`,
    `no_cover` says why there is none."""

    state: str
    hash: str | None
    no_cover: str | None


async def of(pool: asyncpg.Pool, workspace: str, collection_id: UUID) -> Cover | None:
    """None when there is no such collection."""
    row = await pool.fetchrow(
        "SELECT c.state, v.hash, v.no_cover FROM collections c LEFT JOIN covers v ON v.collection_id = c.collection_id"
        " LEFT JOIN libraries l ON l.library_id = c.library_id"
        " WHERE c.collection_id = $1 AND c.workspace = $2 AND l.deleted_at IS NULL",
        collection_id,
        workspace,
    )
    return Cover(row["state"], row["hash"], row["no_cover"]) if row else None
