"""Images in collections, as last recorded. From the scanner log (the catalogue's pages, and what was read of images).

A row holds a chunk: the images of one collection whose names lie in one range. Later pages replace by name and add; a
chunk that grows beyond its limit is cut. An image that is missing stays, and says since when. So a page of a list is
read from a chunk or two, however large the collection is, and one that changes every day has no more rows than its
images need. Chunks depend on the order of the log alone.

What was read of an image (its size, or that it is in quarantine) stands with it until its bytes change.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import count
from typing import TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.catalogue import (
    AbsentFile,
    CollectionFiles,
    CollectionsDeparted,
    CollectionsMarkedMissing,
    CollectionsPurged,
    CollectionsRecorded,
    CollectionsReverted,
    FileEntry,
    FilesMoved,
    MissingFiles,
    MovedFile,
    MovedFiles,
    RevertedCollection,
)
from linstock.messages.enrichment import CollectionsEnriched, FilesQuarantined, ImageFact, QuarantinedFile
from services.projection.fact import Fact
from services.projection.rows import Rows

F = TypeVar("F", bound=FileEntry)

LIMIT = 1000  # images of a chunk
CUT_TO = 500  # at most, of each part of one that was cut


class Origin(Struct, frozen=True, array_like=True, gc=False):
    """Where an image was before, and when a scan saw that it is not there any more."""

    collection_id: UUID
    name: str
    at: datetime


class HeldFile(FileEntry, frozen=True, array_like=True, gc=False):
    """As it was recorded, since when it is missing, and once it was read how large it is as shown; 0 × 0: it is in
    quarantine. `moved_from` stays, whatever becomes of its bytes."""

    missing_since: datetime | None = None
    width: int | None = None
    height: int | None = None
    moved_from: Origin | None = None


_FILES: msgspec.json.Decoder[list[HeldFile]] = msgspec.json.Decoder(list[HeldFile])


class Chunk(Struct, frozen=True):
    """`first_name` bounds the range from below, in bytes; the first chunk's is empty. `files` is a JSON array of
    HeldFile (a FileEntry is one that is there and was not read yet), ascending by name."""

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
        case CollectionsReverted() | CollectionsDeparted():
            return [one.collection_id for one in fact.event.collections]
        case FilesMoved(collections=left):
            return [each for share in left for each in (share.collection_id, *_destinations(share))]
        case CollectionsPurged(collections=ids, files=purged):
            return [*ids, *(share.collection_id for share in purged)]
        case CollectionsEnriched(collections=collections):
            return [collection.collection_id for collection in collections if collection.images]
        case FilesQuarantined(collection_id=collection_id):
            return (collection_id,)
        case _:
            return ()


def fold(chunks: Rows[Chunk], fact: Fact) -> None:
    match fact.event:
        case CollectionsRecorded(library_id=library_id, files=shares):
            for share in shares:
                _record(chunks, share, fact.workspace, library_id)
        case CollectionsMarkedMissing() | FilesMoved() as page:
            _gone(chunks, page)
        case CollectionsReverted() | CollectionsPurged() | CollectionsDeparted() as page:
            _withdraw(chunks, page)
        case CollectionsEnriched(collections=collections):
            for collection in collections:
                _read(chunks, collection.collection_id, collection.images)
        case FilesQuarantined(collection_id=collection_id, files=files):
            _read(chunks, collection_id, map(_in_quarantine, files))
        case _:
            return


def _gone(chunks: Rows[Chunk], page: CollectionsMarkedMissing | FilesMoved) -> None:
    if isinstance(page, FilesMoved):
        for left in page.collections:
            _move(chunks, left, page.at)
        return
    for missing in page.files:
        _mark(chunks, missing, page.at)


def _record(chunks: Rows[Chunk], share: CollectionFiles, workspace: str, library_id: UUID) -> None:
    known = list(_chunks_of(share.collection_id, chunks))
    if not known:
        known = [Chunk(share.collection_id, 0, workspace, library_id, b"", 0, b"[]")]
    for changed in _with(known, share.files):
        chunks.put(changed)


def _mark(chunks: Rows[Chunk], gone: MissingFiles, at: datetime) -> None:
    for changed in _without(list(_chunks_of(gone.collection_id, chunks)), gone, at):
        chunks.put(changed)


def _move(chunks: Rows[Chunk], share: MovedFiles, at: datetime) -> None:
    """They are gone here, and known there: as they were read here they need not be read again."""
    before = {name: file for chunk in _chunks_of(share.collection_id, chunks) for name, file in _by_name(chunk).items()}
    there: dict[UUID, dict[bytes, MovedFile]] = {}
    for moved in share.files:
        there.setdefault(moved.to_collection_id, {})[_now(moved)] = moved
    for collection_id, arrived in there.items():
        for chunk in list(_chunks_of(collection_id, chunks)):
            held = _FILES.decode(chunk.files)
            if arrived.keys().isdisjoint(map(name_of, held)):
                continue
            files = [_arrived(file, arrived.get(name_of(file)), share.collection_id, before, at) for file in held]
            chunks.put(replace(chunk, files=msgspec.json.encode(files)))
    text = [file.name for file in share.files if file.name_bytes is None]
    _forget(chunks, share.collection_id, text, [file.name_bytes for file in share.files if file.name_bytes is not None])


def _arrived(
    file: HeldFile, moved: MovedFile | None, origin: UUID, before: Mapping[bytes, HeldFile], at: datetime
) -> HeldFile:
    if moved is None:
        return file
    known = before.get(moved.name.encode() if moved.name_bytes is None else moved.name_bytes)
    came = replace(file, moved_from=Origin(origin, moved.name, at))
    if known and file.width is None and (known.size_bytes, known.mtime_ns) == (file.size_bytes, file.mtime_ns):
        return replace(came, width=known.width, height=known.height)
    return came


def _now(moved: MovedFile) -> bytes:
    return moved.to_name.encode() if moved.to_name_bytes is None else moved.to_name_bytes


def _destinations(share: MovedFiles) -> set[UUID]:
    return {file.to_collection_id for file in share.files}


def _withdraw(chunks: Rows[Chunk], page: CollectionsReverted | CollectionsPurged | CollectionsDeparted) -> None:
    match page:
        case CollectionsReverted():
            for one in page.collections:
                _revert(chunks, one)
        case CollectionsDeparted():
            for departed in page.collections:
                _forget_all(chunks, departed.collection_id)
        case CollectionsPurged():
            for collection_id in page.collections:
                _forget_all(chunks, collection_id)
            for share in page.files:
                _forget(chunks, share.collection_id, share.names, share.names_bytes)


def _revert(chunks: Rows[Chunk], one: RevertedCollection) -> None:
    if one.entry is None:
        _forget_all(chunks, one.collection_id)
        return
    _forget(chunks, one.collection_id, one.forgotten, one.forgotten_bytes)
    for changed in _with(list(_chunks_of(one.collection_id, chunks)), (*one.files, *one.absent)):
        chunks.put(changed)


def _forget_all(chunks: Rows[Chunk], collection_id: UUID) -> None:
    for chunk in _chunks_of(collection_id, chunks):
        chunks.put(replace(chunk, file_count=0, files=b"[]"))


def _forget(chunks: Rows[Chunk], collection_id: UUID, names: Iterable[str], names_bytes: Iterable[bytes]) -> None:
    forgotten = {*(name.encode() for name in names), *names_bytes}
    for chunk in _chunks_of(collection_id, chunks):
        files = _by_name(chunk)
        if left := forgotten.intersection(files):
            kept = [file for name, file in files.items() if name not in left]
            chunks.put(replace(chunk, file_count=len(kept), files=msgspec.json.encode(kept)))


def _chunks_of(collection_id: UUID, chunks: Rows[Chunk]) -> Iterator[Chunk]:
    for number in count():
        chunk = chunks.get((collection_id, number))
        if chunk is None:
            return
        yield chunk


def _read(chunks: Rows[Chunk], collection_id: UUID, facts: Iterable[ImageFact]) -> None:
    """What is said of bytes that are others by now is passed over."""
    known = sorted(_chunks_of(collection_id, chunks), key=lambda chunk: chunk.first_name)
    if not known:
        return
    for at, found in _by_chunk(known, facts).items():
        held = _FILES.decode(known[at].files)
        chunks.put(
            replace(known[at], files=msgspec.json.encode([_told(file, found.get(name_of(file))) for file in held]))
        )


def _told(file: HeldFile, fact: ImageFact | None) -> HeldFile:
    if fact is None or (fact.size_bytes, fact.mtime_ns) != (file.size_bytes, file.mtime_ns):
        return file
    return replace(file, width=fact.width, height=fact.height)


def _in_quarantine(file: QuarantinedFile) -> ImageFact:
    return ImageFact(file.name, file.size_bytes, file.mtime_ns, file.name_bytes, width=0, height=0)


def _by_chunk(known: list[Chunk], entries: Iterable[F]) -> dict[int, dict[bytes, F]]:
    """By the index of the chunk (ascending by name) whose range they lie in, and name."""
    bounds = [chunk.first_name for chunk in known]
    found: dict[int, dict[bytes, F]] = {}
    for entry in entries:
        name = name_of(entry)
        found.setdefault(bisect_right(bounds, name) - 1, {})[name] = entry
    return found


def _with(known: list[Chunk], files: Iterable[FileEntry]) -> Iterator[Chunk]:
    """The chunks that `files` change, and new ones."""
    known = sorted(known, key=lambda chunk: chunk.first_name)
    newer = _by_chunk(known, files)
    new_numbers = count(len(known))
    for at in sorted(newer):
        chunk = known[at]
        older = _by_name(chunk)
        told = {name: _as_read(older.get(name), entry) for name, entry in newer[at].items()}
        yield from _cut(chunk, older | told, new_numbers)


def _without(known: list[Chunk], share: MissingFiles, at: datetime) -> Iterator[Chunk]:
    """The chunks that hold any of the names, with those marked."""
    gone = {*(name.encode() for name in share.names), *share.names_bytes}
    for chunk in known:
        files = _FILES.decode(chunk.files)
        if any(name_of(file) in gone for file in files):
            marked = [replace(file, missing_since=at) if name_of(file) in gone else file for file in files]
            yield replace(chunk, files=msgspec.json.encode(marked))


def _cut(chunk: Chunk, files: Mapping[bytes, FileEntry], new_numbers: Iterator[int]) -> Iterator[Chunk]:
    """The chunk with `files`, in as many parts as they need. The first keeps its number and its bound."""
    names = sorted(files)
    parts = 1 if len(names) <= LIMIT else -(-len(names) // CUT_TO)
    for part in range(parts):
        # Even parts: the last is as large as the first.
        of_part = names[len(names) * part // parts : len(names) * (part + 1) // parts]
        encoded = msgspec.json.encode([files[name] for name in of_part])
        held = replace(chunk, file_count=len(of_part), files=encoded)
        yield replace(held, chunk=next(new_numbers), first_name=of_part[0]) if part else held


def _as_read(before: HeldFile | None, entry: FileEntry) -> FileEntry:
    """One that comes back as it was need not be read again."""
    if before is None or (before.width is None and before.moved_from is None):
        return entry
    missing_since = entry.missing_since if isinstance(entry, AbsentFile) else None
    if (before.size_bytes, before.mtime_ns) == (entry.size_bytes, entry.mtime_ns):
        return replace(before, missing_since=missing_since)
    now = (entry.name, entry.size_bytes, entry.mtime_ns, entry.name_bytes)
    return HeldFile(*now, missing_since=missing_since, moved_from=before.moved_from) if before.moved_from else entry


def _by_name(chunk: Chunk) -> dict[bytes, HeldFile]:
    return {name_of(entry): entry for entry in _FILES.decode(chunk.files)} if chunk.file_count else {}


def name_of(entry: FileEntry) -> bytes:
    return entry.name.encode() if entry.name_bytes is None else entry.name_bytes
