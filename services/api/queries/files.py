"""Files of a collection, as stored: chunks, each a range of names. A page takes the chunks that it lies in; a search
goes through all of them, one after the other, so memory is bounded by a chunk and a page."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Struct

from linstock.messages.catalogue import FileEntry
from services.api.dto.files import FileDto, OriginDto
from services.api.dto.wire import Page
from services.api.paging import Window

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

CHUNKS_AT_ONCE = 4
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Origin(Struct, frozen=True, array_like=True, gc=False):
    collection_id: UUID
    name: str
    at: datetime


class HeldFile(FileEntry, frozen=True, array_like=True, gc=False):
    """As the projection keeps it: 0 × 0 is in quarantine."""

    missing_since: datetime | None = None
    width: int | None = None
    height: int | None = None
    moved_from: Origin | None = None


_FILES: msgspec.json.Decoder[list[HeldFile]] = msgspec.json.Decoder(list[HeldFile])


async def page(
    pool: asyncpg.Pool, workspace: str, collection_id: UUID, window: Window, *, text: str = ""
) -> Page[FileDto] | None:
    """By name, in the order of its bytes; with `text` those whose name contains it in any letter case. None when there
    is no such collection."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        query = "SELECT 1 FROM collections WHERE collection_id = $1 AND workspace = $2"
        if not await connection.fetchval(query, collection_id, workspace):
            return None
        if text:
            return await _search(connection, collection_id, window, text.casefold())
        return await _slice(connection, collection_id, window)


async def _slice(connection: Connection, collection_id: UUID, window: Window) -> Page[FileDto]:
    query = "SELECT chunk, file_count FROM files WHERE collection_id = $1 ORDER BY first_name"
    starts_at, total, wanted = None, 0, []
    for chunk, count in await connection.fetch(query, collection_id):
        if total < window.offset + window.size and total + count > window.offset:
            starts_at = total if starts_at is None else starts_at
            wanted.append(chunk)
        total += count
    entries = [entry async for found in _chunks(connection, collection_id, wanted) for entry in found]
    start = window.offset - (starts_at or 0)
    return window.of([_file(entry) for entry in entries[start : start + window.size]], total)


async def _search(connection: Connection, collection_id: UUID, window: Window, text: str) -> Page[FileDto]:
    total, shown = 0, []
    async for entries in _chunks(connection, collection_id):
        found = [entry for entry in entries if text in entry.name.casefold()]
        shown += found[max(0, window.offset - total) : max(0, window.offset + window.size - total)]
        total += len(found)
    return window.of([_file(entry) for entry in shown], total)


async def _chunks(
    connection: Connection, collection_id: UUID, wanted: list[int] | None = None
) -> AsyncIterator[list[HeldFile]]:
    """In order; all of them, or those wanted."""
    query = (
        "SELECT files FROM files WHERE collection_id = $1 AND ($2::bigint[] IS NULL OR chunk = ANY($2))"
        " ORDER BY first_name"
    )
    async for row in connection.cursor(query, collection_id, wanted, prefetch=CHUNKS_AT_ONCE):
        yield _FILES.decode(row["files"])


def _file(entry: HeldFile) -> FileDto:
    return FileDto(
        name=entry.name,
        size_bytes=entry.size_bytes,
        modified_at=EPOCH + timedelta(microseconds=entry.mtime_ns // 1000),
        missing_since=entry.missing_since,
        width=entry.width or None,
        height=entry.height or None,
        valid=None if entry.width is None else entry.width > 0,
        moved_from=_origin(entry.moved_from),
        name_bytes=UNSET if entry.name_bytes is None else entry.name_bytes,
    )


def _origin(origin: Origin | None) -> OriginDto | None:
    return None if origin is None else OriginDto(collection_id=origin.collection_id, name=origin.name, at=origin.at)
