"""Collections of a library, those that are missing included. From the scanner log (the catalogue's pages)."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.catalogue import (
    CollectionEntry,
    CollectionsDeparted,
    CollectionsMarkedMissing,
    CollectionsMoved,
    CollectionsPurged,
    CollectionsRecorded,
    CollectionsRestored,
    CollectionsReverted,
    FilesMoved,
    MissingFiles,
    MovedFiles,
    RevertedCollection,
)
from services.projection.fact import Fact
from services.projection.rows import Rows

PRESENT, MISSING, WITHDRAWN = "present", "missing", "withdrawn"


class Collection(Struct, frozen=True):
    """`scan_id` recorded it last. `path_bytes` is set only when the path is not UTF-8. `folded` is the path without
    case, for searching. While it is missing, it says since when, and which scan did not find it; what it held it still
    says. One that is withdrawn is not shown: the scan that had found it was undone, it was purged, or it
    is in another library now, as `moved_to`."""

    collection_id: UUID
    workspace: str
    library_id: UUID
    path: str
    path_bytes: bytes | None
    name: str
    kind: str
    image_count: int
    size_bytes: int
    digest: str
    state: str
    scan_id: UUID
    recorded_at: datetime
    folded: str
    missing_since: datetime | None = None
    missing_scan_id: UUID | None = None
    moved_to: UUID | None = None


Changed: TypeAlias = Callable[[Collection | None, Collection, datetime], None]


def rows() -> Rows[Collection]:
    return Rows("collections", Collection, key=("collection_id",))


def reads(fact: Fact) -> Iterable[UUID]:
    match fact.event:
        case CollectionsRecorded() | CollectionsReverted() | FilesMoved() | CollectionsDeparted():
            return (each.collection_id for each in fact.event.collections)
        case CollectionsMarkedMissing(collections=collections, files=files):
            return (*collections, *(share.collection_id for share in files))
        case CollectionsMoved(collections=moved):
            return (each.entry.collection_id for each in moved)
        case CollectionsRestored(collections=collections) | CollectionsPurged(collections=collections):
            return collections
        case _:
            return ()


def fold(collections: Rows[Collection], fact: Fact, changed: Changed) -> None:
    """`changed` is told what each row was and is."""
    for row, at in _changes(collections, fact):
        changed(collections.get(row.collection_id), row, at)
        collections.put(row)


def _changes(collections: Rows[Collection], fact: Fact) -> Iterable[tuple[Collection, datetime]]:
    match fact.event:
        case CollectionsRecorded() as page:
            for entry in page.collections:
                yield _row(entry, page, fact), page.at
        case CollectionsMarkedMissing() as page:
            yield from ((row, page.at) for row in _marked(collections, page))
        case FilesMoved() as page:
            yield from ((row, page.at) for row in _left(collections, page.collections))
        case CollectionsMoved() as page:
            yield from ((row, page.at) for row in _moved(collections, page))
        case CollectionsRestored(collections=ids, at=at):
            yield from ((_as(PRESENT, known), at) for known in map(collections.get, ids) if known)
        case CollectionsPurged() | CollectionsDeparted() as page:
            yield from ((row, page.at) for row in _withdrawn(collections, page))
        case CollectionsReverted() as page:
            yield from ((row, page.at) for row in _all_reverted(collections, page))
        case _:
            return


def _marked(collections: Rows[Collection], page: CollectionsMarkedMissing) -> Iterable[Collection]:
    for collection_id in page.collections:
        if (known := collections.get(collection_id)) and known.state == PRESENT:
            yield replace(known, state=MISSING, missing_since=page.at, missing_scan_id=page.scan_id)
    yield from _left(collections, page.files)


def _left(collections: Rows[Collection], shares: Iterable[MissingFiles | MovedFiles]) -> Iterable[Collection]:
    """Each without the images that are not in it any more."""
    for share in shares:
        if (known := collections.get(share.collection_id)) and share.digest:
            yield replace(known, image_count=share.image_count, size_bytes=share.size_bytes, digest=share.digest)


def _moved(collections: Rows[Collection], page: CollectionsMoved) -> Iterable[Collection]:
    for moved in page.collections:
        if known := collections.get(moved.entry.collection_id):
            here = _placed(known, moved.entry)
            yield _as(PRESENT, here)


def _withdrawn(collections: Rows[Collection], page: CollectionsPurged | CollectionsDeparted) -> Iterable[Collection]:
    if isinstance(page, CollectionsPurged):
        return (_as(WITHDRAWN, known) for known in map(collections.get, page.collections) if known)
    return (
        replace(_as(WITHDRAWN, known), moved_to=one.to_collection_id)
        for one in page.collections
        if (known := collections.get(one.collection_id))
    )


def _placed(known: Collection, entry: CollectionEntry) -> Collection:
    return replace(known, path=entry.path, path_bytes=entry.path_bytes, name=entry.name, folded=entry.path.casefold())


def _all_reverted(collections: Rows[Collection], page: CollectionsReverted) -> Iterable[Collection]:
    for one in page.collections:
        if known := collections.get(one.collection_id):
            yield _reverted(known, one)


def _reverted(known: Collection, one: RevertedCollection) -> Collection:
    if one.entry is None or one.recorded_by is None or one.recorded_at is None:
        return _as(WITHDRAWN, known)
    return replace(
        _placed(known, one.entry),
        image_count=one.entry.image_count,
        size_bytes=one.entry.size_bytes,
        digest=one.entry.digest,
        state=MISSING if one.missing_since else PRESENT,
        scan_id=one.recorded_by,
        recorded_at=one.recorded_at,
        missing_since=one.missing_since,
        missing_scan_id=one.missing_by,
    )


def _as(state: str, known: Collection) -> Collection:
    return replace(known, state=state, missing_since=None, missing_scan_id=None)


def _row(entry: CollectionEntry, page: CollectionsRecorded, fact: Fact) -> Collection:
    return Collection(
        collection_id=entry.collection_id,
        workspace=fact.workspace,
        library_id=page.library_id,
        path=entry.path,
        path_bytes=entry.path_bytes,
        name=entry.name,
        kind=entry.kind,
        image_count=entry.image_count,
        size_bytes=entry.size_bytes,
        digest=entry.digest,
        state=PRESENT,
        scan_id=page.scan_id,
        recorded_at=page.at,
        folded=entry.path.casefold(),
    )
