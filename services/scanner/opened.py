"""What archives held when they were opened last, so that they need not be opened again, those without images included.
A private memory beside the log: what is lost here is read again from disk.
"""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from services.scanner.folders import Pool

# Archives come and go; one that is still there is opened once in this time.
KEEP = "90 days"


class Opened(Struct, frozen=True, kw_only=True):
    """An archive of this size and time held `image_count` images of `extensions`, and `left_out` others."""

    size_bytes: int
    mtime_ns: int
    extensions: str
    image_count: int
    left_out: int


class OpenedArchives:
    """On a pool whose search path is the scanner's schema."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def get(self, collection_ids: Sequence[UUID]) -> dict[UUID, Opened]:
        """Those of them that are remembered."""
        rows = await self._pool.fetch(
            "SELECT collection_id, size_bytes, mtime_ns, extensions, image_count, left_out FROM opened_archives"
            " WHERE collection_id = ANY($1)",
            collection_ids,
        )
        return {
            row["collection_id"]: Opened(
                size_bytes=row["size_bytes"],
                mtime_ns=row["mtime_ns"],
                extensions=row["extensions"],
                image_count=row["image_count"],
                left_out=row["left_out"],
            )
            for row in rows
        }

    async def put(self, opened: dict[UUID, Opened]) -> None:
        rows = sorted(opened.items())  # two scans at once lock rows in one order
        await self._pool.execute(
            "INSERT INTO opened_archives (collection_id, size_bytes, mtime_ns, extensions, image_count, left_out)"
            " SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::int[], $6::int[])"
            " ON CONFLICT (collection_id) DO UPDATE SET (size_bytes, mtime_ns, extensions, image_count, left_out, at) ="
            " (excluded.size_bytes, excluded.mtime_ns, excluded.extensions, excluded.image_count, excluded.left_out,"
            " excluded.at)",
            [collection_id for collection_id, _ in rows],
            [one.size_bytes for _, one in rows],
            [one.mtime_ns for _, one in rows],
            [one.extensions for _, one in rows],
            [one.image_count for _, one in rows],
            [one.left_out for _, one in rows],
        )
        await self._pool.execute("DELETE FROM opened_archives WHERE at < clock_timestamp() - $1::text::interval", KEEP)
