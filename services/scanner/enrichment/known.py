"""What the log says of a library's images, to see what is left to read. Never the truth: made from the log, each
library's rows say which version they reflect, and they may be emptied at any time.
"""

import os
from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec
from msgspec import Struct

from linstock import names
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Recorded
from linstock.messages.enrichment import (
    CollectionsEnriched,
    Cover,
    EnrichedCollection,
    EnrichmentEvent,
    FilesQuarantined,
    ImageFact,
    QuarantinedFile,
)
from services.scanner.folders import Connection, Pool

COMPACT_BEYOND = 64  # rows of one collection

_EVENTS: msgspec.json.Decoder[EnrichmentEvent] = msgspec.json.Decoder(EnrichmentEvent)
_IMAGES: msgspec.json.Decoder[list[ImageFact]] = msgspec.json.Decoder(list[ImageFact])
_COVER: msgspec.json.Decoder[Cover] = msgspec.json.Decoder(Cover)

# Of folders only the digest counts: a folder's own time says nothing of its images.
_UNREAD = """
    FROM index_collections c LEFT JOIN enriched e USING (collection_id)
    WHERE c.library_id = $1 AND c.digest <> '' AND NOT c.missing
    AND (e.digest IS DISTINCT FROM c.digest OR (c.kind = 'archive' AND e.mtime_ns IS DISTINCT FROM c.mtime_ns))
"""


class Entry(Struct, frozen=True, kw_only=True):
    """An entry of the catalogue. `size_bytes` and `mtime_ns` are an archive's own."""

    collection_id: UUID
    kind: str
    path: bytes
    digest: str
    size_bytes: int
    mtime_ns: int


class Enriched(Struct, frozen=True, kw_only=True):
    digest: str
    mtime_ns: int
    cover: Cover | None


class KnownImages:
    """On a pool whose search path is the scanner's schema. Safe for concurrent use."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def unread(self, library_id: UUID, *, after: UUID, limit: int) -> list[Entry]:
        """Entries whose images were not read, with ids beyond `after`, ascending."""
        columns = "c.collection_id, c.kind, c.path, c.digest, c.size_bytes, c.mtime_ns"
        query = f"SELECT {columns} {_UNREAD} AND c.collection_id > $2 ORDER BY c.collection_id LIMIT $3"
        return [_entry(row) for row in await self._pool.fetch(query, library_id, after, limit)]

    async def count_unread(self, library_id: UUID) -> int:
        """Without those that were passed over."""
        query = f"""
            SELECT count(*) {_UNREAD} AND NOT EXISTS (
                SELECT FROM passed_over p
                WHERE (p.collection_id, p.digest, p.mtime_ns) = (c.collection_id, c.digest, c.mtime_ns)
            )
        """  # noqa: S608  # our own words
        count: int = await self._pool.fetchval(query, library_id)
        return count

    async def entry(self, collection_id: UUID) -> tuple[UUID, Entry] | None:
        """With its library."""
        columns = "library_id, collection_id, kind, path, digest, size_bytes, mtime_ns"
        query = f"SELECT {columns} FROM index_collections WHERE collection_id = $1"  # noqa: S608
        row = await self._pool.fetchrow(query, collection_id)
        return (row["library_id"], _entry(row)) if row else None

    async def enriched(self, collection_id: UUID) -> Enriched | None:
        query = "SELECT digest, mtime_ns, cover FROM enriched WHERE collection_id = $1"
        row = await self._pool.fetchrow(query, collection_id)
        if row is None:
            return None
        cover = None if row["cover"] is None else _COVER.decode(row["cover"])
        return Enriched(digest=row["digest"], mtime_ns=row["mtime_ns"], cover=cover)

    async def images(self, collection_id: UUID) -> dict[bytes, ImageFact]:
        """Those that were read, by name; 0 × 0 is in quarantine."""
        query = "SELECT images FROM looked_at WHERE collection_id = $1 ORDER BY version"
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(query, collection_id)
            found = {name_of(fact): fact for row in rows for fact in _IMAGES.decode(row["images"])}
            if len(rows) > COMPACT_BEYOND:
                await _compact(connection, collection_id, found.values())
        return found

    async def pass_over(self, entry: Entry) -> None:
        await self._pool.execute(
            "INSERT INTO passed_over (collection_id, digest, mtime_ns) VALUES ($1, $2, $3)"
            " ON CONFLICT (collection_id) DO UPDATE SET (digest, mtime_ns, at) ="
            " (excluded.digest, excluded.mtime_ns, excluded.at)",
            entry.collection_id,
            entry.digest,
            entry.mtime_ns,
        )

    async def version(self, library_id: UUID) -> int:
        """Of the enrichment's events, as far as the library's rows reflect them."""
        query = "SELECT version FROM enrichments WHERE library_id = $1"
        found: int | None = await self._pool.fetchval(query, library_id)
        return found or 0

    async def root(self, library_id: UUID) -> bytes | None:
        """Where the library was read last."""
        found: bytes | None = await self._pool.fetchval(
            "SELECT root FROM enrichments WHERE library_id = $1", library_id
        )
        return found

    async def read_at(self, library_id: UUID, root: str) -> None:
        await self._pool.execute(
            "INSERT INTO enrichments (library_id, version, root) VALUES ($1, 0, $2)"
            " ON CONFLICT (library_id) DO UPDATE SET root = excluded.root",
            library_id,
            os.fsencode(root),
        )

    async def catch_up(self, log: EventLog, library_id: UUID) -> None:
        """Reflect all that the log says."""
        at = await self.version(library_id)
        await self.apply(library_id, await log.load(names.enrichment_of(library_id), after=at))

    async def apply(self, library_id: UUID, events: Sequence[Recorded]) -> None:
        """Events of one library, in order; those already reflected are passed over."""
        if not events:
            return
        async with self._pool.acquire() as connection, connection.transaction():
            insert = "INSERT INTO enrichments (library_id, version) VALUES ($1, 0) ON CONFLICT DO NOTHING"
            await connection.execute(insert, library_id)
            query = "SELECT version FROM enrichments WHERE library_id = $1 FOR UPDATE"
            at: int = await connection.fetchval(query, library_id)
            for recorded in events:
                if recorded.version == at + 1:
                    await _put(connection, _EVENTS.decode(recorded.data), recorded.version)
                    at = recorded.version
            await connection.execute("UPDATE enrichments SET version = $2 WHERE library_id = $1", library_id, at)


def name_of(file: ImageFact | QuarantinedFile | Cover) -> bytes:
    return file.name.encode() if file.name_bytes is None else file.name_bytes


def _entry(row: "Connection | object") -> Entry:
    return Entry(**{name: row[name] for name in Entry.__struct_fields__})  # type: ignore[index]


async def _put(connection: Connection, event: EnrichmentEvent, version: int) -> None:
    match event:
        case CollectionsEnriched(library_id=library_id, collections=collections):
            for collection in collections:
                await _look(connection, collection.collection_id, library_id, version, collection.images)
                if collection.digest:
                    await _settle(connection, library_id, collection)
        case FilesQuarantined(library_id=library_id, collection_id=collection_id, files=files):
            await _look(connection, collection_id, library_id, version, [_in_quarantine(file) for file in files])


async def _look(
    connection: Connection, collection_id: UUID, library_id: UUID, version: int, images: Sequence[ImageFact]
) -> None:
    if images:
        await connection.execute(
            "INSERT INTO looked_at (collection_id, library_id, version, images) VALUES ($1, $2, $3, $4)",
            collection_id,
            library_id,
            version,
            msgspec.json.encode(images),
        )


async def _settle(connection: Connection, library_id: UUID, collection: EnrichedCollection) -> None:
    await connection.execute(
        "INSERT INTO enriched (collection_id, library_id, digest, mtime_ns, cover) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (collection_id) DO UPDATE SET (digest, mtime_ns, cover) ="
        " (excluded.digest, excluded.mtime_ns, excluded.cover)",
        collection.collection_id,
        library_id,
        collection.digest,
        collection.mtime_ns,
        None if collection.cover is None else msgspec.json.encode(collection.cover),
    )
    await connection.execute("DELETE FROM passed_over WHERE collection_id = $1", collection.collection_id)


async def _compact(connection: Connection, collection_id: UUID, images: Iterable[ImageFact]) -> None:
    """One row instead of many, at the newest of their versions."""
    gone = await connection.fetch(
        "DELETE FROM looked_at WHERE collection_id = $1 RETURNING version, library_id", collection_id
    )
    newest = max(gone, key=lambda row: row["version"])
    await _look(connection, collection_id, newest["library_id"], newest["version"], list(images))


def _in_quarantine(file: QuarantinedFile) -> ImageFact:
    return ImageFact(file.name, file.size_bytes, file.mtime_ns, file.name_bytes, width=0, height=0)
