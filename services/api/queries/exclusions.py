"""Puts a library's catalogue through the sieves of a preview, a batch at a time. What is missing does not count."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from linstock.messages.catalogue import FileEntry
from services.api.dto.exclusions import ExclusionsPreviewDto
from services.api.exclusions import FOLDER, Known, Sieve, Sieves

BATCH = 500
MOST_COLLECTIONS = 100_000
MOST_IMAGES = 200_000
"""Looked at by name. Beyond either, a preview is approximate."""

_FILES: msgspec.json.Decoder[list[FileEntry]] = msgspec.json.Decoder(list[FileEntry])

_COLLECTIONS = """
    SELECT collection_id, kind, path, path_bytes, image_count FROM collections
    WHERE workspace = $1 AND library_id = $2 AND state = 'present' ORDER BY path COLLATE "C", collection_id
"""


async def preview(
    pool: asyncpg.Pool, workspace: str, library_id: UUID, lines: Sequence[str], limit: int
) -> ExclusionsPreviewDto:
    sieves = Sieves(lines, limit)
    looked = images = 0
    approximate = False
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        cursor = await connection.cursor(_COLLECTIONS, workspace, library_id)
        while rows := await cursor.fetch(BATCH):
            if looked >= MOST_COLLECTIONS:
                approximate = True
                break
            looked += len(rows)
            kept = await asyncio.to_thread(_weigh, sieves, rows)
            for collection_id, known, undecided in kept if sieves.name_files else ():
                if images + known.images > MOST_IMAGES:
                    approximate = True
                    continue
                images += known.images
                query = "SELECT files FROM files WHERE collection_id = $1 ORDER BY first_name"
                chunks = [row["files"] for row in await connection.fetch(query, collection_id)]
                await asyncio.to_thread(_drop_images, undecided, known, chunks)
    return sieves.told(approximate=approximate)


def _weigh(sieves: Sieves, rows: Sequence[asyncpg.Record]) -> list[tuple[UUID, Known, list[Sieve]]]:
    """The folders whose images have to be looked at."""
    found = []
    for row in rows:
        path = row["path"].encode() if row["path_bytes"] is None else row["path_bytes"]
        known = Known(row["kind"], path, row["path"], row["image_count"])
        undecided = sieves.weigh(known)
        if undecided and known.kind == FOLDER:
            found.append((row["collection_id"], known, undecided))
    return found


def _drop_images(undecided: Sequence[Sieve], known: Known, chunks: Sequence[bytes]) -> None:
    entries = [entry for chunk in chunks for entry in _FILES.decode(chunk)]
    names = [(each.name.encode() if each.name_bytes is None else each.name_bytes, each.name) for each in entries]
    for sieve in undecided:
        sieve.drop_images(known, names)
