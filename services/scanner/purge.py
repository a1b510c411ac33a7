"""What has been missing for long enough to be forgotten. Pure: told a catalogue's history, it knows since when what is
missing; only that is kept in memory.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.answer import Purged
from linstock.messages.catalogue import (
    CatalogueEvent,
    CollectionEntry,
    CollectionsDeparted,
    CollectionsMarkedMissing,
    CollectionsMoved,
    CollectionsPurged,
    CollectionsRecorded,
    CollectionsRestored,
    CollectionsReverted,
    MissingFiles,
    MovedCollection,
    PurgedFiles,
    RevertedCollection,
)
from services.scanner import removal_pages
from services.scanner.diff import Gone
from services.scanner.images import name_of


class Purge(Struct, frozen=True, kw_only=True):
    """One purge: what it is called, who wants it, and of which collections it is (None: of all)."""

    purge_id: UUID
    library_id: UUID
    actor: str
    missing_before: datetime
    at: datetime
    only: frozenset[UUID] | None = None


class Missing:
    """Told a whole history in order, it knows what is missing at its end."""

    def __init__(self) -> None:
        self._collections: dict[UUID, datetime] = {}
        self._files: dict[UUID, dict[bytes, datetime]] = {}

    def see(self, event: CatalogueEvent) -> None:
        match event:
            case CollectionsRecorded() | CollectionsMoved() | CollectionsRestored():
                self._found(event)
            case CollectionsMarkedMissing():
                self._marked(event)
            case CollectionsDeparted(collections=departed):
                self._forget(each.collection_id for each in departed)
            case CollectionsReverted(collections=reverted):
                for former in reverted:
                    self._revert(former)
            case CollectionsPurged(collections=collections, files=purged):
                self._forget(collections)
                for share in purged:
                    self._back(share.collection_id, _names(share))
            case _:
                return

    def due(self, purge: Purge) -> tuple[list[UUID], list[Gone]]:
        """The collections, and the images of other collections that are there, ascending."""
        collections = sorted(
            each for each, since in self._collections.items() if since < purge.missing_before and _meant(each, purge)
        )
        images = [
            Gone(collection_id=each, names=names, image_count=0, size_bytes=0, digest="")
            for each in sorted(self._files)
            if each not in self._collections and _meant(each, purge) and (names := self._names_due(each, purge))
        ]
        return collections, images

    def _names_due(self, collection_id: UUID, purge: Purge) -> list[bytes]:
        return sorted(name for name, since in self._files[collection_id].items() if since < purge.missing_before)

    def _found(self, event: CollectionsRecorded | CollectionsMoved | CollectionsRestored) -> None:
        if isinstance(event, CollectionsRecorded):
            for share in event.files:
                self._back(share.collection_id, map(name_of, share.files))
        for each in event.collections:
            self._collections.pop(_id_of(each), None)

    def _marked(self, page: CollectionsMarkedMissing) -> None:
        for each in page.collections:
            self._collections.setdefault(each, page.at)
        for share in page.files:
            since = self._files.setdefault(share.collection_id, {})
            for name in _names(share):
                since.setdefault(name, page.at)

    def _revert(self, former: RevertedCollection) -> None:
        one = former.collection_id
        if former.entry is None:
            self._forget([one])
            return
        if former.missing_since:
            self._collections[one] = former.missing_since
        else:
            self._collections.pop(one, None)
        forgotten = (*(name.encode() for name in former.forgotten), *former.forgotten_bytes)
        self._back(one, (*map(name_of, former.files), *forgotten))
        if former.absent:
            names = self._files.setdefault(one, {})
            names.update((name_of(file), file.missing_since) for file in former.absent)

    def _forget(self, collections: Iterable[UUID]) -> None:
        for each in collections:
            self._collections.pop(each, None)
            self._files.pop(each, None)

    def _back(self, collection_id: UUID, names: Iterable[bytes]) -> None:
        if known := self._files.get(collection_id):
            for name in names:
                known.pop(name, None)


def pages(collections: list[UUID], images: list[Gone], purge: Purge) -> Iterator[CollectionsPurged]:
    """Each of at most 512 KiB encoded."""
    page = CollectionsPurged(
        purge_id=purge.purge_id,
        library_id=purge.library_id,
        page=0,
        actor=purge.actor,
        missing_before=purge.missing_before,
        at=purge.at,
    )
    parts = chain(
        (replace(page, collections=ids) for ids in removal_pages.ids(collections)),
        (replace(page, files=tuple(map(_purged, shares))) for shares in removal_pages.files(images)),
    )
    return (replace(part, page=number) for number, part in enumerate(parts, 1))


def counts(collections: list[UUID], images: list[Gone], purge: Purge) -> Purged:
    return Purged(
        missing_before=purge.missing_before, collections=len(collections), images=sum(len(one.names) for one in images)
    )


def _purged(share: MissingFiles) -> PurgedFiles:
    return PurgedFiles(collection_id=share.collection_id, names=share.names, names_bytes=share.names_bytes)


def _id_of(found: CollectionEntry | MovedCollection | UUID) -> UUID:
    match found:
        case MovedCollection(entry=entry):
            return entry.collection_id
        case CollectionEntry(collection_id=collection_id):
            return collection_id
        case _:
            return found


def _meant(collection_id: UUID, purge: Purge) -> bool:
    return purge.only is None or collection_id in purge.only


def _names(share: MissingFiles | PurgedFiles) -> Iterator[bytes]:
    yield from (name.encode() for name in share.names)
    yield from share.names_bytes
