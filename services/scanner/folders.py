"""The rows of folders in Postgres. A library's rows hold only under the settings that they were made under; those of a
folder go when the index comes to reflect anything new of its collections, in the same transaction (`index.py`)."""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

import asyncpg

from services.scanner.checkpoint import Checkpoint
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

_CHECKPOINT = """
    INSERT INTO checkpoints (library_id, look, scan_id, file_system, through)
    SELECT $1, $2, $4, $5, $6 FROM index_libraries WHERE library_id = $1 AND look = $2 AND version = $3
    ON CONFLICT (library_id) DO UPDATE SET (look, scan_id, file_system, through) =
        (excluded.look, excluded.scan_id, excluded.file_system, excluded.through)
"""
_LATER = _CHECKPOINT.replace("FROM", "FROM (SELECT set_config('synchronous_commit', 'off', true)) AS later,", 1)


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
        self,
        library_id: UUID,
        look: str,
        *,
        version: int,
        rows: Sequence[FolderRow],
        gone: Sequence[bytes] = (),
        checkpoint: Checkpoint | None = None,
    ) -> bool:
        """Store `rows`, forget those of the paths in `gone`, and note how far the scan has come. Nothing is done, and
        the answer is False, unless the index reflects exactly `version` of the catalogue: the writer is not its owner
        any more."""
        async with self._pool.acquire() as connection, connection.transaction():
            query = (
                "SELECT version, look, set_config('synchronous_commit', 'off', true) FROM index_libraries"
                " WHERE library_id = $1 FOR UPDATE"
            )
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
            if checkpoint:
                await connection.execute(_CHECKPOINT, library_id, look, version, *_fields(checkpoint))
        return True

    async def note(self, library_id: UUID, look: str, *, version: int, checkpoint: Checkpoint) -> None:
        """The checkpoint alone, under the same condition. Returns before it is on disk: a crash of Postgres may lose
        it, never tear it."""
        await self._pool.execute(_LATER, library_id, look, version, *_fields(checkpoint))

    async def checkpoint(self, library_id: UUID, look: str, scan_id: UUID) -> Checkpoint | None:
        """How far the scan has come under these settings."""
        query = "SELECT file_system, through FROM checkpoints WHERE library_id = $1 AND look = $2 AND scan_id = $3"
        row = await self._pool.fetchrow(query, library_id, look, scan_id)
        if row is None:
            return None
        return Checkpoint(scan_id=scan_id, file_system=row["file_system"], through=row["through"])


def _fields(checkpoint: Checkpoint) -> tuple[UUID, str, bytes]:
    return checkpoint.scan_id, checkpoint.file_system, checkpoint.through


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
