"""The rows of folders in Postgres. A library's rows hold only under the settings that they were made under; those of a
folder go when the index comes to reflect anything new of its collections, in the same transaction (`index.py`)."""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

import asyncpg

from services.scanner.diff import collection_id
from services.scanner.reach import Reach
from services.scanner.remembered import FolderRow, encode
from services.scanner.scope import FOLDER

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

_IN_REACH = """
    AND (path = ANY ($2) OR EXISTS (
        SELECT FROM unnest($3::bytea[]) AS above WHERE path > above || '/'::bytea AND path < above || '0'::bytea
    ))
"""


class Folders:
    """On a pool whose search path is the scanner's schema."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def load(self, library_id: UUID, look: str, reach: Reach) -> list[asyncpg.Record]:
        """`path` and encoded `folder` of those in `reach`; none, if they were made under other settings than `look`."""
        query = "SELECT path, folder FROM index_folders WHERE library_id = $1"
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            found = await connection.fetchval("SELECT look FROM index_libraries WHERE library_id = $1", library_id)
            if found != look:
                return []
            if reach.whole:
                return await connection.fetch(query, library_id)
            paths = [stretch.path for stretch in reach.stretches]
            above = [stretch.path for stretch in reach.stretches if stretch.deep]
            return await connection.fetch(query + _IN_REACH, library_id, paths, above)

    async def keep(
        self, library_id: UUID, look: str, *, version: int, rows: Sequence[FolderRow], gone: Sequence[bytes] = ()
    ) -> bool:
        """Store `rows`, and forget those of the paths in `gone`. Nothing is done, and the answer is False, unless the
        index reflects exactly `version` of the catalogue: the writer is not its owner any more."""
        async with self._pool.acquire() as connection, connection.transaction():
            query = "SELECT version, look FROM index_libraries WHERE library_id = $1 FOR UPDATE"
            found = await connection.fetchrow(query, library_id)
            if found is None or found["version"] != version:
                return False
            if found["look"] != look:
                await connection.execute("DELETE FROM index_folders WHERE library_id = $1", library_id)
                query = "UPDATE index_libraries SET look = $2 WHERE library_id = $1"
                await connection.execute(query, library_id, look)
            if gone:
                await forget(connection, [id_of(library_id, path) for path in gone])
            if rows:
                await _put(connection, library_id, rows)
        return True


def id_of(library_id: UUID, path: bytes) -> UUID:
    return collection_id(library_id, FOLDER, path)


async def forget(connection: Connection, folder_ids: Sequence[UUID]) -> None:
    await connection.execute("DELETE FROM index_folders WHERE folder_id = ANY ($1)", folder_ids)


async def forget_those_of(connection: Connection, collection_ids: Sequence[UUID]) -> None:
    """The rows that speak of these collections, as far as they are recorded."""
    query = "SELECT library_id, kind, path FROM index_collections WHERE collection_id = ANY($1)"
    await forget(
        connection,
        [
            id_of(row["library_id"], row["path"] if row["kind"] == FOLDER else row["path"].rpartition(b"/")[0])
            for row in await connection.fetch(query, collection_ids)
        ],
    )


async def _put(connection: Connection, library_id: UUID, rows: Sequence[FolderRow]) -> None:
    await connection.execute(
        "INSERT INTO index_folders (library_id, folder_id, path, folder)"
        " SELECT $1, * FROM unnest($2::uuid[], $3::bytea[], $4::bytea[])"
        " ON CONFLICT (folder_id) DO UPDATE SET folder = excluded.folder",
        library_id,
        [id_of(library_id, row.path) for row in rows],
        [row.path for row in rows],
        [encode(row) for row in rows],
    )
