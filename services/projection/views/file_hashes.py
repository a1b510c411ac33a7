"""Hashes of whole files, as far as they say something of the bytes that are there. From the scanner log."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.catalogue import (
    CollectionsMarkedMissing,
    CollectionsRecorded,
    CollectionsReverted,
    FileEntry,
    FilesMoved,
)
from linstock.messages.contents import ContentsHashed, HashedFile, RotAccepted, RotFound, RotOver, RottenFile
from services.projection.fact import Fact
from services.projection.rows import Rows

HOLDS, GONE = "holds", "gone"
ARCHIVE = "archive"
ITSELF = b""
"""The name under which an archive as a whole is hashed."""


class FileHash(Struct, frozen=True):
    """`found` is what a rotten file holds instead. Gone: it is missing, or holds other bytes openly."""

    collection_id: UUID
    name_key: bytes
    workspace: str
    library_id: UUID
    name: str
    size_bytes: int
    mtime_ns: int
    hash: bytes
    hashed_at: datetime
    state: str = HOLDS
    found: bytes | None = None
    rotten_since: datetime | None = None


Key = tuple[UUID, bytes]


def rows() -> Rows[FileHash]:
    return Rows("file_hashes", FileHash, key=("collection_id", "name_key"))


def reads(fact: Fact) -> Iterable[UUID]:
    match fact.event:
        case ContentsHashed(collections=found) | CollectionsRecorded(collections=found):
            return [each.collection_id for each in found]
        case RotFound(files=files) | RotOver(files=files) | RotAccepted(files=files):
            return [file.collection_id for file in files]
        case CollectionsMarkedMissing(files=shares):
            return [share.collection_id for share in shares]
        case CollectionsReverted() | FilesMoved():
            return [one.collection_id for one in fact.event.collections]
        case _:
            return ()


def fold(hashes: Rows[FileHash], fact: Fact) -> None:
    match fact.event:
        case ContentsHashed() as page:
            for row in _rows(page, fact):
                hashes.put(row)
        case RotFound() | RotOver() | RotAccepted() as event:
            _told(hashes, event)
        case CollectionsRecorded() as page:
            _compare(hashes, _recorded(page))
        case CollectionsMarkedMissing() as page:
            _compare(hashes, _missing(page))
        case CollectionsReverted() as page:
            _compare(hashes, _reverted(page))
        case FilesMoved() as page:
            _compare(hashes, _left(page))
        case _:
            return


def _rows(page: ContentsHashed, fact: Fact) -> Iterator[FileHash]:
    for collection in page.collections:
        for file in collection.files:
            yield FileHash(
                collection_id=collection.collection_id,
                name_key=_name_of(file),
                workspace=fact.workspace,
                library_id=page.library_id,
                name=file.name,
                size_bytes=file.size_bytes,
                mtime_ns=file.mtime_ns,
                hash=bytes.fromhex(file.hash),
                hashed_at=page.at,
            )


def _told(hashes: Rows[FileHash], event: RotFound | RotOver | RotAccepted) -> None:
    for file in event.files:
        row = hashes.get((file.collection_id, _name_of(file)))
        if row is None:
            continue
        match event:
            case RotFound(at=at):
                hashes.put(replace(row, found=bytes.fromhex(file.found), rotten_since=row.rotten_since or at))
            case RotOver():
                hashes.put(replace(row, found=None, rotten_since=None))
            case RotAccepted(at=at):
                right = bytes.fromhex(file.found)
                hashes.put(replace(row, hash=right, hashed_at=at, found=None, rotten_since=None))


def _compare(hashes: Rows[FileHash], now: Iterable[tuple[Key, tuple[int, int] | None]]) -> None:
    """`now` is size and time of what is there; None: nothing is."""
    for key, bytes_ in now:
        if row := hashes.get(key):
            state = HOLDS if bytes_ == (row.size_bytes, row.mtime_ns) else GONE
            if state != row.state:
                hashes.put(replace(row, state=state))


def _recorded(page: CollectionsRecorded) -> Iterator[tuple[Key, tuple[int, int] | None]]:
    for share in page.files:
        yield from _entries(share.collection_id, share.files)
    for entry in page.collections:
        if entry.kind == ARCHIVE and entry.digest:
            yield (entry.collection_id, ITSELF), (entry.size_bytes, entry.mtime_ns)


def _missing(page: CollectionsMarkedMissing) -> Iterator[tuple[Key, tuple[int, int] | None]]:
    for share in page.files:
        for name in (*(name.encode() for name in share.names), *share.names_bytes):
            yield (share.collection_id, name), None


def _left(page: FilesMoved) -> Iterator[tuple[Key, tuple[int, int] | None]]:
    for share in page.collections:
        for file in share.files:
            name = file.name.encode() if file.name_bytes is None else file.name_bytes
            yield (share.collection_id, name), None


def _reverted(page: CollectionsReverted) -> Iterator[tuple[Key, tuple[int, int] | None]]:
    for one in page.collections:
        yield from _entries(one.collection_id, one.files)
        absent = (_name_of(file) for file in one.absent)
        for name in (*absent, *(name.encode() for name in one.forgotten), *one.forgotten_bytes):
            yield (one.collection_id, name), None
        if one.entry and one.entry.kind == ARCHIVE and one.entry.digest:
            yield (one.collection_id, ITSELF), (one.entry.size_bytes, one.entry.mtime_ns)


def _entries(collection_id: UUID, files: Iterable[FileEntry]) -> Iterator[tuple[Key, tuple[int, int] | None]]:
    for file in files:
        yield (collection_id, _name_of(file)), (file.size_bytes, file.mtime_ns)


def _name_of(file: FileEntry | HashedFile | RottenFile) -> bytes:
    return file.name.encode() if file.name_bytes is None else file.name_bytes
