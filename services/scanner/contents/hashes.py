"""What the log says of the contents of files. Never the truth: made from the log, each library's rows say which version
they reflect, and they may be emptied at any time."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from linstock import names
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Recorded
from linstock.messages.contents import (
    ContentsEvent,
    ContentsHashed,
    HashedFile,
    RotAccepted,
    RotFound,
    RotOver,
    RottenFile,
)
from services.scanner.contents.judging import File, Known
from services.scanner.folders import Connection, Pool

_EVENTS: msgspec.json.Decoder[ContentsEvent] = msgspec.json.Decoder(ContentsEvent)
_NAMED = """
    FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS r (collection_id, name, hash)
    WHERE (h.collection_id, h.name) = (r.collection_id, r.name)
"""
_CHECKED = """
    UPDATE hashes h SET checked_by = $1 FROM unnest($2::uuid[], $3::bytea[]) AS r (collection_id, name)
    WHERE (h.collection_id, h.name) = (r.collection_id, r.name)
"""
_ROTTEN = f"UPDATE hashes h SET rotten = r.hash, checked_by = $1 {_NAMED}"  # noqa: S608
_RIGHT = f"UPDATE hashes h SET rotten = NULL, checked_by = $1 {_NAMED} AND h.hash = r.hash"  # noqa: S608
_ACCEPTED = f"""
    UPDATE hashes h SET hash = h.rotten, rotten = NULL, hashed_at = $1 {_NAMED} AND h.rotten = r.hash
"""  # noqa: S608


class Hashes:
    """On a pool whose search path is the scanner's schema. Safe for concurrent use."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def known(self, collection_ids: Sequence[UUID]) -> dict[tuple[UUID, bytes], Known]:
        """By collection and name."""
        query = "SELECT * FROM hashes WHERE collection_id = ANY ($1)"
        return {
            (row["collection_id"], row["name"]): Known(
                size_bytes=row["size_bytes"],
                mtime_ns=row["mtime_ns"],
                hash=row["hash"],
                hashed_at=row["hashed_at"],
                rotten=row["rotten"],
                checked_by=row["checked_by"],
            )
            for row in await self._pool.fetch(query, collection_ids)
        }

    async def rotten(self, library_id: UUID) -> list[RottenFile]:
        """Those of files that are as large and as old still as when they were hashed, or are not there now."""
        query = "SELECT * FROM hashes WHERE library_id = $1 AND rotten IS NOT NULL ORDER BY collection_id, name"
        return [
            RottenFile(
                collection_id=UUID(bytes=row["collection_id"].bytes),
                name=row["name"].decode(errors="replace"),
                name_bytes=None if _is_text(row["name"]) else row["name"],
                size_bytes=row["size_bytes"],
                mtime_ns=row["mtime_ns"],
                expected=row["hash"].hex(),
                found=row["rotten"].hex(),
                hashed_at=row["hashed_at"],
            )
            for row in await self._pool.fetch(query, library_id)
        ]

    async def checked(self, files: Sequence[File], scan_id: UUID) -> None:
        """These need not be read again by this scan."""
        await self._pool.execute(
            _CHECKED,
            scan_id,
            [file.collection_id for file in files],
            [file.name for file in files],
        )

    async def version(self, library_id: UUID) -> int:
        """Of the contents' events, as far as the library's rows reflect them."""
        found: int | None = await self._pool.fetchval("SELECT version FROM contents WHERE library_id = $1", library_id)
        return found or 0

    async def catch_up(self, log: EventLog, library_id: UUID) -> None:
        """Reflect all that the log says."""
        at = await self.version(library_id)
        await self.apply(library_id, await log.load(names.contents_of(library_id), after=at))

    async def apply(self, library_id: UUID, events: Iterable[Recorded]) -> None:
        """Events of one library, in order; those already reflected are passed over."""
        async with self._pool.acquire() as connection, connection.transaction():
            insert = "INSERT INTO contents (library_id, version) VALUES ($1, 0) ON CONFLICT DO NOTHING"
            await connection.execute(insert, library_id)
            query = "SELECT version FROM contents WHERE library_id = $1 FOR UPDATE"
            at: int = await connection.fetchval(query, library_id)
            for recorded in events:
                if recorded.version == at + 1:
                    await _put(connection, _EVENTS.decode(recorded.data))
                    at = recorded.version
            await connection.execute("UPDATE contents SET version = $2 WHERE library_id = $1", library_id, at)


def name_of(file: HashedFile | RottenFile) -> bytes:
    return file.name.encode() if file.name_bytes is None else file.name_bytes


async def _put(connection: Connection, event: ContentsEvent) -> None:
    match event:
        case ContentsHashed():
            await _hashed(connection, event)
        case RotFound(scan_id=scan_id, files=files):
            await connection.execute(_ROTTEN, scan_id, *_columns(files, [file.found for file in files]))
        case RotOver(scan_id=scan_id, files=files):
            await connection.execute(_RIGHT, scan_id, *_columns(files, [file.expected for file in files]))
        case RotAccepted(at=at, files=files):
            await connection.execute(_ACCEPTED, at, *_columns(files, [file.found for file in files]))


async def _hashed(connection: Connection, page: ContentsHashed) -> None:
    found = [(each.collection_id, file) for each in page.collections for file in each.files]
    await connection.execute(
        "INSERT INTO hashes (library_id, hashed_at, checked_by, collection_id, name, size_bytes, mtime_ns, hash)"
        " SELECT $1, $2, $3, * FROM unnest($4::uuid[], $5::bytea[], $6::bigint[], $7::bigint[], $8::bytea[])"
        " ON CONFLICT (collection_id, name) DO UPDATE SET"
        " (library_id, hashed_at, checked_by, size_bytes, mtime_ns, hash, rotten) = (excluded.library_id,"
        " excluded.hashed_at, excluded.checked_by, excluded.size_bytes, excluded.mtime_ns, excluded.hash, NULL)",
        page.library_id,
        page.at,
        page.scan_id,
        [collection_id for collection_id, _ in found],
        [name_of(file) for _, file in found],
        [file.size_bytes for _, file in found],
        [file.mtime_ns for _, file in found],
        [bytes.fromhex(file.hash) for _, file in found],
    )


def _columns(files: Sequence[RottenFile], hashes: Sequence[str]) -> tuple[list[UUID], list[bytes], list[bytes]]:
    return (
        [file.collection_id for file in files],
        [name_of(file) for file in files],
        [bytes.fromhex(each) for each in hashes],
    )


def _is_text(name: bytes) -> bool:
    return name.decode(errors="replace").encode() == name
