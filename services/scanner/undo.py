"""What undoing a scan means: everything that it touched, and nothing after it did, is again as it was before. Pure.

The history of a catalogue is seen twice: first to learn what the scan touched, then to learn what that was before.
Only what it touched is kept in memory.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.answer import Undone
from linstock.messages.catalogue import (
    PAGE_LIMIT_BYTES,
    AbsentFile,
    CatalogueEvent,
    CollectionEntry,
    CollectionsDeparted,
    CollectionsMarkedMissing,
    CollectionsMoved,
    CollectionsPurged,
    CollectionsRecorded,
    CollectionsRestored,
    CollectionsReverted,
    FileEntry,
    FilesMoved,
    MissingFiles,
    MovedFiles,
    RevertedCollection,
)
from services.scanner.images import name_of
from services.scanner.pages import ENVELOPE_BYTES

NAMES_OF_PART = 250
"""Of one collection on one page. A name has at most 255 bytes, which may take 1.5 kB as JSON: 400 kB at most."""

Found: TypeAlias = CollectionsRecorded | CollectionsMarkedMissing | CollectionsMoved | CollectionsRestored | FilesMoved
Removed: TypeAlias = CollectionsReverted | CollectionsPurged | CollectionsDeparted
Image: TypeAlias = tuple[FileEntry, datetime | None]
"""As it was recorded, and since when it is missing."""


class Past(Struct):
    """A collection as it was at some time; without an entry it was not known then."""

    entry: CollectionEntry | None = None
    recorded_by: UUID | None = None
    recorded_at: datetime | None = None
    missing_since: datetime | None = None
    missing_by: UUID | None = None
    images: dict[bytes, Image] = msgspec.field(default_factory=dict)

    def forget(self) -> None:
        self.entry = self.recorded_by = self.recorded_at = self.missing_since = self.missing_by = None
        self.images = {}


class Touched(Struct):
    """By the scan: which names, and whether what it said last is that the whole collection is not there."""

    names: set[bytes] = msgspec.field(default_factory=set)
    marked: bool = False
    moved: bool = False
    later: bool = False  # another touched it since, or is where it was


def touched(events: Iterable[CatalogueEvent], scan_id: UUID) -> set[UUID]:
    """The collections that the scan has touched in these."""
    return {each for event in events if isinstance(event, Found) and event.scan_id == scan_id for each in _ids(event)}


class Undo:
    """Told a whole history, in order and with `ids` of all that the scan touched, it knows what was before."""

    def __init__(self, scan_id: UUID, ids: set[UUID]) -> None:
        self._scan_id = scan_id
        self._past = {each: Past() for each in ids}
        self._touched: dict[UUID, Touched] = {}

    def see(self, event: CatalogueEvent) -> None:
        if not isinstance(event, Found | Removed):
            return
        if isinstance(event, Found) and event.scan_id == self._scan_id:
            self._by_scan(event)
            return
        for collection_id in _ids(event):
            if known := self._touched.get(collection_id):
                known.later = True
        self._before(event)

    def returning(self) -> dict[UUID, CollectionEntry]:
        """What would be elsewhere again, as it was there."""
        return {
            one: past.entry
            for one, each in self._touched.items()
            if each.moved and not each.later and (past := self._past[one]).entry and not past.missing_since
        }

    def undoes(self, collection_id: UUID) -> bool:
        known = self._touched.get(collection_id)
        return known is not None and not known.later

    def leave_alone(self, ids: Iterable[UUID]) -> None:
        """Their old places are others' now."""
        for each in ids:
            self._touched[each].later = True

    def counts(self) -> Undone:
        kinds = Counter("left_alone" if each.later else self._kind(one, each) for one, each in self._touched.items())
        return Undone(**kinds)

    def pages(self, library_id: UUID, attempt: int, at: datetime) -> list[CollectionsReverted]:
        """Each of at most 512 KiB encoded."""
        return [
            CollectionsReverted(
                scan_id=self._scan_id,
                library_id=library_id,
                attempt=attempt,
                page=number,
                collections=tuple(parts),
                at=at,
            )
            for number, parts in enumerate(_packed(self._parts()), 1)
        ]

    def _by_scan(self, event: Found) -> None:
        for collection_id in _ids(event):
            known = self._touched.setdefault(collection_id, Touched())
            known.marked = isinstance(event, CollectionsMarkedMissing) and collection_id in event.collections
            known.moved |= isinstance(event, CollectionsMoved)
        for collection_id, names in _names(event):
            self._touched[collection_id].names.update(names)
        for arrival in event.arrived if isinstance(event, CollectionsRecorded) else ():
            self._touched[arrival.collection_id].later = True  # it is in no other library any more

    def _before(self, event: Found | Removed) -> None:
        """What others did before the scan came; of what they do after it nothing needs to be known."""
        match event:
            case CollectionsRecorded():
                self._recorded(event)
            case CollectionsMarkedMissing():
                self._marked(event)
            case CollectionsMoved():
                self._moved(event)
            case CollectionsRestored():
                for past in self._open(event.collections):
                    past.missing_since = past.missing_by = None
            case FilesMoved():
                self._left(event)
            case _:
                self._removed(event)

    def _removed(self, event: Removed) -> None:
        match event:
            case CollectionsReverted():
                self._reverted(event)
            case CollectionsPurged():
                self._purged(event)
            case CollectionsDeparted():
                for past in self._open(_ids(event)):
                    past.forget()

    def _left(self, page: FilesMoved) -> None:
        for share in page.collections:
            for past in self._open([share.collection_id]):
                for name in _moved_names(share):
                    past.images.pop(name, None)
                _hold(past, share)

    def _purged(self, page: CollectionsPurged) -> None:
        for past in self._open(page.collections):
            past.forget()
        for share in page.files:
            for past in self._open([share.collection_id]):
                for name in _names_of(share.names, share.names_bytes):
                    past.images.pop(name, None)

    def _reverted(self, page: CollectionsReverted) -> None:
        for one in page.collections:
            for past in self._open([one.collection_id]):
                _revert(past, one)

    def _open(self, ids: Iterable[UUID]) -> Iterator[Past]:
        return (self._past[each] for each in ids if each in self._past and each not in self._touched)

    def _recorded(self, page: CollectionsRecorded) -> None:
        for entry in page.collections:
            for past in self._open([entry.collection_id]):
                past.entry, past.recorded_by, past.recorded_at = entry, page.scan_id, page.at
                past.missing_since = past.missing_by = None
        for share in page.files:
            for past in self._open([share.collection_id]):
                past.images |= {name_of(file): (file, None) for file in share.files}

    def _moved(self, page: CollectionsMoved) -> None:
        for moved in page.collections:
            for past in self._open([moved.entry.collection_id]):
                past.entry, past.missing_since, past.missing_by = moved.entry, None, None

    def _marked(self, page: CollectionsMarkedMissing) -> None:
        for past in self._open(page.collections):
            past.missing_since, past.missing_by = page.at, page.scan_id
        for share in page.files:
            for past in self._open([share.collection_id]):
                _without(past, share, page.at)

    def _kind(self, collection_id: UUID, by_scan: Touched) -> str:
        past = self._past[collection_id]
        if past.entry is None:
            return "withdrawn"
        if past.missing_since:
            return "missing"
        return "restored" if by_scan.marked else "changed"

    def _parts(self) -> Iterator[RevertedCollection]:
        for collection_id, by_scan in self._touched.items():
            if not by_scan.later:
                yield from _parts(collection_id, self._past[collection_id], sorted(by_scan.names))


def _ids(event: Found | Removed) -> list[UUID]:
    match event:
        case CollectionsRecorded() | CollectionsReverted() | FilesMoved() | CollectionsDeparted():
            return [each.collection_id for each in event.collections]
        case CollectionsMarkedMissing(collections=ids, files=gone):
            return [*ids, *(share.collection_id for share in gone)]
        case CollectionsPurged(collections=ids, files=purged):
            return [*ids, *(share.collection_id for share in purged)]
        case CollectionsMoved(collections=moved):
            return [each.entry.collection_id for each in moved]
        case CollectionsRestored(collections=ids):
            return list(ids)


def _names(event: Found) -> Iterator[tuple[UUID, list[bytes]]]:
    match event:
        case CollectionsRecorded(files=found):
            for share in found:
                yield share.collection_id, [name_of(file) for file in share.files]
        case CollectionsMarkedMissing(files=gone):
            for missing in gone:
                yield missing.collection_id, _names_of(missing.names, missing.names_bytes)
        case FilesMoved(collections=shares):
            for left in shares:
                yield left.collection_id, _moved_names(left)
        case CollectionsMoved() | CollectionsRestored():
            return


def _moved_names(share: MovedFiles) -> list[bytes]:
    return [file.name.encode() if file.name_bytes is None else file.name_bytes for file in share.files]


def _names_of(names: Sequence[str], names_bytes: Sequence[bytes]) -> list[bytes]:
    return [*(name.encode() for name in names), *names_bytes]


def _without(past: Past, share: MissingFiles, at: datetime) -> None:
    for name in _names_of(share.names, share.names_bytes):
        if name in past.images:
            past.images[name] = (past.images[name][0], at)
    _hold(past, share)


def _hold(past: Past, share: MissingFiles | MovedFiles) -> None:
    if past.entry and share.digest:
        past.entry = replace(
            past.entry, image_count=share.image_count, size_bytes=share.size_bytes, digest=share.digest
        )


def _revert(past: Past, one: RevertedCollection) -> None:
    """Another scan was undone before this one came."""
    past.entry, past.recorded_by, past.recorded_at = one.entry, one.recorded_by, one.recorded_at
    past.missing_since, past.missing_by = one.missing_since, one.missing_by
    if one.entry is None:
        past.images = {}
        return
    past.images |= {name_of(file): (file, None) for file in one.files}
    past.images |= {name_of(file): (_plain(file), file.missing_since) for file in one.absent}
    for name in _names_of(one.forgotten, one.forgotten_bytes):
        past.images.pop(name, None)


def _parts(collection_id: UUID, past: Past, names: list[bytes]) -> Iterator[RevertedCollection]:
    if past.entry is None:
        yield RevertedCollection(collection_id=collection_id)
        return
    entry = past.entry
    last = max(0, len(names) - 1) // NAMES_OF_PART
    for part in range(last + 1):
        some = names[part * NAMES_OF_PART : (part + 1) * NAMES_OF_PART]
        known = [past.images[name] for name in some if name in past.images]
        unknown = [name for name in some if name not in past.images]
        yield RevertedCollection(
            collection_id=collection_id,
            entry=entry if part == last else replace(entry, digest=""),
            recorded_by=past.recorded_by,
            recorded_at=past.recorded_at,
            missing_since=past.missing_since,
            missing_by=past.missing_by,
            files=tuple(file for file, since in known if since is None),
            absent=tuple(_absent(file, since) for file, since in known if since is not None),
            forgotten=tuple(name.decode() for name in unknown if _is_text(name)),
            forgotten_bytes=tuple(name for name in unknown if not _is_text(name)),
        )


def _absent(file: FileEntry, since: datetime) -> AbsentFile:
    return AbsentFile(file.name, file.size_bytes, file.mtime_ns, file.name_bytes, missing_since=since)


def _plain(file: FileEntry) -> FileEntry:
    return FileEntry(file.name, file.size_bytes, file.mtime_ns, file.name_bytes)


def _is_text(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _packed(parts: Iterable[RevertedCollection]) -> Iterator[list[RevertedCollection]]:
    page, size = list[RevertedCollection](), 0
    for part in parts:
        part_size = len(msgspec.json.encode(part)) + 1
        if page and size + part_size > PAGE_LIMIT_BYTES - ENVELOPE_BYTES:
            yield page
            page, size = [], 0
        page.append(part)
        size += part_size
    if page:
        yield page
