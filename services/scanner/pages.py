"""Cuts changes into pages of bounded encoded size. Pure, and lazy: it holds one page."""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.catalogue import (
    PAGE_LIMIT_BYTES,
    Arrival,
    CollectionEntry,
    CollectionFiles,
    FileEntry,
    MovedCollection,
)
from services.scanner.diff import Change, Known
from services.scanner.images import displayed

# Room for the page's own fields, and for what surrounds one collection's list of files.
ENVELOPE_BYTES = 1024
FRAME_BYTES = 80
SLICE = 256


class Page(Struct, frozen=True):
    """`added` counts the collections that nobody recorded before; `before` is what was, of each."""

    collections: tuple[CollectionEntry, ...]
    files: tuple[CollectionFiles, ...]
    added: int
    before: tuple[Known | None, ...]
    moved: tuple[MovedCollection, ...] = ()
    arrived: tuple[Arrival, ...] = ()


def pages(changes: Iterable[Change | None], *, limit_bytes: int = PAGE_LIMIT_BYTES) -> Iterator[Page]:
    """Pages of at most `limit_bytes` encoded, each as full as it can be; none when nothing changed. None among the
    changes ends a page early.

    A collection whose images take several pages is on each of them, with an empty digest on all but the last: until
    then nobody takes it for fully recorded.
    """
    draft = _Draft(limit_bytes - ENVELOPE_BYTES)
    for change in changes:
        if change is not None:
            yield from draft.add(change)
        elif draft.holds_any:
            yield draft.cut()
    if draft.holds_any:
        yield draft.cut()


class _Draft:
    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._encoder = msgspec.json.Encoder()
        self._clear()

    def _clear(self) -> None:
        self.collections: list[CollectionEntry] = []
        self._before: list[Known | None] = []
        self._files: list[CollectionFiles] = []
        self._moved: list[MovedCollection] = []
        self._arrived: list[Arrival] = []
        self._added = 0
        self._size = 0

    @property
    def holds_any(self) -> bool:
        return bool(self.collections or self._moved)

    def cut(self) -> Page:
        page = Page(
            tuple(self.collections),
            tuple(self._files),
            self._added,
            tuple(self._before),
            tuple(self._moved),
            tuple(self._arrived),
        )
        self._clear()
        return page

    def add(self, change: Change) -> Iterator[Page]:
        if change.moved_from is not None:
            yield from self._move(change.entry, change.moved_from)
        else:
            yield from self._record(change)

    def _move(self, entry: CollectionEntry, moved_from: bytes) -> Iterator[Page]:
        path, path_bytes = displayed(moved_from)
        moved = MovedCollection(entry=entry, from_path=path, from_path_bytes=path_bytes)
        size = len(self._encoder.encode(moved)) + 1
        if self.holds_any and self._size + size > self._limit:
            yield self.cut()
        self._moved.append(moved)
        self._size += size

    def _record(self, change: Change) -> Iterator[Page]:
        frame = self._encoded(change.entry) + FRAME_BYTES
        if change.arrival:
            frame += len(self._encoder.encode(change.arrival)) + 1
        taken: list[FileEntry] = []
        for start in range(0, max(1, len(change.images)), SLICE):
            files = change.images.entries(start, start + SLICE)
            size = self._encoded(files)
            if start == 0:
                # A small collection goes on the next page as a whole rather than on two.
                if self.holds_any and self._size + frame + size > self._limit:
                    yield self.cut()
                self._size += frame
                self._added += change.added
                if change.arrival:
                    self._arrived.append(change.arrival)
            if self._size + size <= self._limit:
                taken.extend(files)
                self._size += size
                continue
            for file in files:
                size = self._encoded(file) + 1
                if taken and self._size + size > self._limit:
                    self._put(replace(change.entry, digest=""), taken, change.before)
                    yield self.cut()
                    taken, self._size = [], frame
                taken.append(file)
                self._size += size
        self._put(change.entry, taken, change.before)

    def _encoded(self, value: CollectionEntry | FileEntry | tuple[FileEntry, ...]) -> int:
        return len(self._encoder.encode(value))

    def _put(self, entry: CollectionEntry, files: list[FileEntry], before: Known | None) -> None:
        self.collections.append(entry)
        self._before.append(before)
        if files:
            self._files.append(CollectionFiles(collection_id=entry.collection_id, files=tuple(files)))
