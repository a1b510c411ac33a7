"""Images in collections, as last recorded. From the scanner log (the catalogue's pages).

A row holds a chunk: the images of one collection whose names lie in one range. Later pages replace by name and add; a
chunk that grows beyond its limit is cut. An image that is missing stays, and says since when. So a page of a list is
read from a chunk or two, however large the collection is, and one that changes every day has no more rows than its
images need. Chunks depend on the order of the log alone.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import count
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.catalogue import (
    CollectionFiles,
    CollectionsMarkedMissing,
    CollectionsRecorded,
    FileEntry,
    MissingFiles,
)
from services.projection.fact import Fact
from services.projection.rows import Rows

LIMIT = 1000  # images of a chunk
CUT_TO = 500  # at most, of each part of one that was cut


class StoredFile(FileEntry, frozen=True, array_like=True, gc=False):
    """As it was recorded, and since when it is missing."""

    missing_since: datetime | None = None


_FILES: msgspec.json.Decoder[list[StoredFile]] = msgspec.json.Decoder(list[StoredFile])


class Chunk(Struct, frozen=True):
    """`first_name` bounds the range from below, in bytes; the first chunk's is empty. `files` is a JSON array of
    StoredFile (a FileEntry is one that is there), ascending by name."""

    collection_id: UUID
    chunk: int
    workspace: str
    library_id: UUID
    first_name: bytes
    file_count: int
    files: bytes


def rows() -> Rows[Chunk]:
    return Rows("files", Chunk, key=("collection_id", "chunk"))


def reads(fact: Fact) -> Iterable[UUID]:
    match fact.event:
        case CollectionsRecorded(files=shares) | CollectionsMarkedMissing(files=shares):
            return [share.collection_id for share in shares]
        case _:
            return ()


def fold(chunks: Rows[Chunk], fact: Fact) -> None:
    match fact.event:
        case CollectionsRecorded(library_id=library_id, files=shares):
            for share in shares:
                known = list(_chunks_of(share.collection_id, chunks))
                if not known:
                    known = [Chunk(share.collection_id, 0, fact.workspace, library_id, b"", 0, b"[]")]
                for changed in _with(known, share):
                    chunks.put(changed)
        case CollectionsMarkedMissing(files=missing, at=at):
            for gone in missing:
                for changed in _without(list(_chunks_of(gone.collection_id, chunks)), gone, at):
                    chunks.put(changed)
        case _:
            return


def _chunks_of(collection_id: UUID, chunks: Rows[Chunk]) -> Iterator[Chunk]:
    for number in count():
        chunk = chunks.get((collection_id, number))
        if chunk is None:
            return
        yield chunk


def _with(known: list[Chunk], share: CollectionFiles) -> Iterator[Chunk]:
    """The chunks that `share` changes, and new ones."""
    known = sorted(known, key=lambda chunk: chunk.first_name)
    bounds = [chunk.first_name for chunk in known]
    newer: dict[int, dict[bytes, FileEntry]] = {}
    for entry in share.files:
        name = name_of(entry)
        newer.setdefault(bisect_right(bounds, name) - 1, {})[name] = entry
    new_numbers = count(len(known))
    for at in sorted(newer):
        chunk = known[at]
        older = _by_name(chunk)
        yield from _cut(chunk, older | newer[at], new_numbers)


def _without(known: list[Chunk], share: MissingFiles, at: datetime) -> Iterator[Chunk]:
    """The chunks that hold any of the names, with those marked."""
    gone = {*(name.encode() for name in share.names), *share.names_bytes}
    for chunk in known:
        files = _FILES.decode(chunk.files)
        if any(name_of(file) in gone for file in files):
            marked = [replace(file, missing_since=at) if name_of(file) in gone else file for file in files]
            yield replace(chunk, files=msgspec.json.encode(marked))


def _cut(chunk: Chunk, files: dict[bytes, FileEntry], new_numbers: Iterator[int]) -> Iterator[Chunk]:
    """The chunk with `files`, in as many parts as they need. The first keeps its number and its bound."""
    names = sorted(files)
    parts = 1 if len(names) <= LIMIT else -(-len(names) // CUT_TO)
    for part in range(parts):
        # Even parts: the last is as large as the first.
        of_part = names[len(names) * part // parts : len(names) * (part + 1) // parts]
        encoded = msgspec.json.encode([files[name] for name in of_part])
        held = replace(chunk, file_count=len(of_part), files=encoded)
        yield replace(held, chunk=next(new_numbers), first_name=of_part[0]) if part else held


def _by_name(chunk: Chunk) -> dict[bytes, FileEntry]:
    return {name_of(entry): entry for entry in _FILES.decode(chunk.files)} if chunk.file_count else {}


def name_of(entry: FileEntry) -> bytes:
    return entry.name.encode() if entry.name_bytes is None else entry.name_bytes
