"""What the index knows of places: which collections may have come from elsewhere, and which have gone."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from linstock.messages.catalogue import CollectionsMoved
from services.scanner.diff import Known, collection_id
from services.scanner.folders import Connection, Pool, forget_those_of
from services.scanner.identity import Kin, Kinship
from services.scanner.images import path_of

_KIN = """
    SELECT library_id, collection_id, kind, path, digest, image_count, size_bytes, mtime_ns, missing
    FROM index_collections WHERE kind = 'folder' AND digest = ANY ($2) AND library_id = ANY ($1)
    UNION ALL
    SELECT library_id, collection_id, kind, path, digest, image_count, size_bytes, mtime_ns, missing
    FROM index_collections JOIN unnest($3::bigint[], $4::bigint[]) AS seen (mtime_ns, size_bytes)
    USING (mtime_ns, size_bytes) WHERE kind = 'archive' AND digest <> '' AND library_id = ANY ($1)
"""
_OTHERS = """
    SELECT l.library_id, l.root, l.file_system FROM index_libraries l JOIN index_libraries mine USING (workspace)
    WHERE mine.library_id = $1 AND l.library_id <> $1 AND l.root IS NOT NULL AND l.file_system <> ''
"""
_TAKEN = """
    SELECT l.version, array(SELECT collection_id FROM index_collections WHERE collection_id = ANY ($2)) AS taken
    FROM index_libraries l WHERE library_id = $1
"""


class Elsewhere(Struct, frozen=True):
    """Another library of the workspace: its folder, and the file system that its content was recorded on."""

    library_id: UUID
    root: bytes
    file_system: str


async def others(pool: Pool, library_id: UUID) -> list[Elsewhere]:
    return [Elsewhere(UUID(bytes=each.bytes), *rest) for each, *rest in await pool.fetch(_OTHERS, library_id)]


async def kinship(
    pool: Pool,
    library_id: UUID,
    places: Sequence[UUID],
    *,
    digests: Sequence[str],
    archives: Sequence[tuple[int, int]],
    others: Sequence[UUID] = (),
) -> Kinship:
    times, sizes = [time for time, _ in archives], [size for _, size in archives]
    rows = await pool.fetch(_KIN, [library_id, *others], digests, times, sizes)
    about = await pool.fetchrow(_TAKEN, library_id, places)
    kin = tuple(
        Kin(
            collection_id=UUID(bytes=row["collection_id"].bytes),
            kind=row["kind"],
            path=row["path"],
            library_id=None if row["library_id"] == library_id else UUID(bytes=row["library_id"].bytes),
            known=Known(
                digest=row["digest"],
                image_count=row["image_count"],
                size_bytes=row["size_bytes"],
                mtime_ns=row["mtime_ns"],
                missing=row["missing"],
            ),
        )
        for row in rows
    )
    return Kinship(kin, frozenset(about["taken"]), about["version"]) if about else Kinship(kin)


async def apply(connection: Connection, page: CollectionsMoved, version: int) -> None:
    ids = [moved.entry.collection_id for moved in page.collections]
    await forget_those_of(connection, ids)
    paths = [path_of(moved.entry) for moved in page.collections]
    await connection.execute(
        "UPDATE index_collections c SET (path, place, size_bytes, mtime_ns, version, missing) ="
        " (m.path, m.place, m.size_bytes, m.mtime_ns, $1, false)"
        " FROM unnest($2::uuid[], $3::bytea[], $4::uuid[], $5::bigint[], $6::bigint[])"
        " AS m (collection_id, path, place, size_bytes, mtime_ns) WHERE c.collection_id = m.collection_id",
        version,
        ids,
        paths,
        [
            collection_id(page.library_id, moved.entry.kind, path)
            for moved, path in zip(page.collections, paths, strict=True)
        ],
        [moved.entry.size_bytes for moved in page.collections],
        [moved.entry.mtime_ns for moved in page.collections],
    )
