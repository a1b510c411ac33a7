"""What scans changed, as stored: of one scan, and of all between two of them together."""

from uuid import UUID

import asyncpg
from msgspec import UNSET, Struct

from services.api.dto.scan_changes import ScanChangeDto
from services.api.dto.wire import Page
from services.api.paging import Window

PLACES = 1 << 16  # `services/projection/views/scan_changes.py`: an ordinal is the catalogue's version times this

# Of a dry run, only what its latest attempt told.
_OF_SCAN = """
    FROM scan_changes c WHERE c.scan_id = $1 AND c.workspace = $2 AND ($3::text IS NULL OR c.kind = $3)
        AND (NOT c.previewed OR c.attempt = (SELECT attempt FROM scans WHERE scan_id = $1))
"""
_PAGE = f"SELECT c.* {_OF_SCAN} ORDER BY c.ordinal LIMIT $4 OFFSET $5"
_COUNT = f"SELECT count(*) {_OF_SCAN}"

# All that was recorded after the earlier scan began and before the one after the later scan did, without its own. What
# came and went, or went and came back as it was, is no difference.
_BETWEEN = f"""
    WITH ends AS (
        SELECT earlier.library_id, earlier.began_at_version AS after,
            (SELECT min(began_at_version) FROM scans s
             WHERE s.library_id = later.library_id AND s.began_at_version > later.began_at_version) AS before
        FROM scans earlier JOIN scans later USING (library_id)
        WHERE earlier.scan_id = $1 AND later.scan_id = $2
    ), touched AS (
        SELECT c.* FROM ends JOIN scan_changes c ON c.library_id = ends.library_id AND NOT c.previewed
            AND c.ordinal > ends.after * {PLACES} AND (ends.before IS NULL OR c.ordinal < ends.before * {PLACES})
        WHERE c.scan_id <> $1
    ), net AS (
        SELECT collection_id,
            (array_agg(kind ORDER BY ordinal))[1] AS first, (array_agg(kind ORDER BY ordinal DESC))[1] AS last,
            (array_agg(collection_kind))[1] AS collection_kind,
            (array_agg(path ORDER BY ordinal DESC))[1] AS path,
            (array_agg(path_bytes ORDER BY ordinal DESC))[1] AS path_bytes,
            (array_agg(coalesce(path_before, path) ORDER BY ordinal))[1] AS path_first,
            (array_agg(images_before ORDER BY ordinal))[1] AS images_before,
            (array_agg(images ORDER BY ordinal DESC))[1] AS images,
            (array_agg(bytes_before ORDER BY ordinal))[1] AS bytes_before,
            (array_agg(bytes ORDER BY ordinal DESC))[1] AS bytes,
            bool_or(kind = 'changed') AS edited, max(at) AS at
        FROM touched GROUP BY collection_id
    ), told AS (
        SELECT *, nullif(path_first, path) AS path_before, CASE
            WHEN first IN ('added', 'restored') THEN CASE WHEN last IN ('missing', 'withdrawn') THEN NULL ELSE first END
            WHEN last IN ('missing', 'withdrawn') THEN last
            WHEN edited OR (images, bytes) <> (images_before, bytes_before) THEN 'changed'
            WHEN path <> path_first THEN 'moved'
        END AS kind
        FROM net
    )
    SELECT told.*, count(*) OVER () AS total FROM told
    WHERE kind IS NOT NULL AND ($3::text IS NULL OR kind = $3)
"""  # noqa: S608


class Scan(Struct, frozen=True):
    """`began_at_version` is the catalogue's; None: it never took it."""

    library_id: UUID
    began_at_version: int | None


async def scan(pool: asyncpg.Pool, workspace: str, scan_id: UUID) -> Scan | None:
    """None when the scanner has not told of it, or it was forgotten."""
    query = "SELECT library_id, began_at_version FROM scans WHERE scan_id = $1 AND workspace = $2"
    row = await pool.fetchrow(query, scan_id, workspace)
    return Scan(*row) if row else None


async def page(
    pool: asyncpg.Pool, workspace: str, scan_id: UUID, kind: str | None, window: Window
) -> Page[ScanChangeDto]:
    """In the order of the walk."""
    total: int = await pool.fetchval(_COUNT, scan_id, workspace, kind)
    rows = await pool.fetch(_PAGE, scan_id, workspace, kind, window.size, window.offset) if total else []
    return window.of([_change(row) for row in rows], total)


async def between(
    pool: asyncpg.Pool, earlier: UUID, later: UUID, kind: str | None, window: Window
) -> Page[ScanChangeDto]:
    """By path. Both scans are of one library, which the caller has seen to."""
    order = ' ORDER BY path COLLATE "C", collection_id LIMIT $4 OFFSET $5'
    rows = await pool.fetch(_BETWEEN + order, earlier, later, kind, window.size, window.offset)
    if rows or not window.offset:
        return window.of([_change(row) for row in rows], rows[0]["total"] if rows else 0)
    first = await pool.fetchrow(_BETWEEN + order, earlier, later, kind, 1, 0)
    return window.of([], first["total"] if first else 0)


def _change(row: asyncpg.Record) -> ScanChangeDto:
    return ScanChangeDto(
        collection_id=row["collection_id"],
        kind=row["kind"],
        collection_kind=row["collection_kind"],
        path=row["path"],
        path_bytes=UNSET if row["path_bytes"] is None else row["path_bytes"],
        images_before=row["images_before"],
        images=row["images"],
        bytes_before=row["bytes_before"],
        size_bytes=row["bytes"],
        at=row["at"],
        path_before=UNSET if row["path_before"] is None else row["path_before"],
    )
