"""Which images that are gone from one place are those that were found at another. Pure.

The evidence is what a walk sees, as for collections (`identity.py`): the size and the time, to the nanosecond. That
the old place is empty is known already.
"""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from msgspec import Struct

from linstock.messages.catalogue import CollectionsRecorded, MovedFile
from services.scanner.images import displayed, name_of
from services.scanner.scope import FOLDER


class File(Struct, frozen=True):
    """One image in a collection."""

    collection_id: UUID
    name: bytes
    size_bytes: int
    mtime_ns: int

    @property
    def looks(self) -> tuple[int, int]:
        return self.size_bytes, self.mtime_ns


class Lost:
    """Images that are gone; told what was recorded meanwhile, it knows where they went. Holds nothing else."""

    def __init__(self, gone: Iterable[File]) -> None:
        self._gone: dict[tuple[int, int], list[File]] = {}
        for file in gone:
            if file.size_bytes:  # empty files all look the same
                self._gone.setdefault(file.looks, []).append(file)
        self._found: dict[tuple[int, int], dict[tuple[UUID, bytes], File]] = {}

    def __bool__(self) -> bool:
        return bool(self._gone)

    def see(self, page: CollectionsRecorded) -> None:
        """A page of the scan, in order."""
        folders = {entry.collection_id for entry in page.collections if entry.kind == FOLDER}
        for share in page.files:
            for entry in share.files if share.collection_id in folders else ():
                looks = (entry.size_bytes, entry.mtime_ns)
                if looks in self._gone:
                    file = File(share.collection_id, name_of(entry), *looks)
                    self._found.setdefault(looks, {})[file.collection_id, file.name] = file

    def moves(self) -> dict[UUID, list[tuple[File, File]]]:
        """By the collection where they were: each with where it is now, ascending by name."""
        moved: dict[UUID, list[tuple[File, File]]] = {}
        for looks, found in self._found.items():
            for before, now in _paired(self._gone[looks], list(found.values())):
                moved.setdefault(before.collection_id, []).append((before, now))
        return {each: sorted(pairs, key=lambda pair: pair[0].name) for each, pairs in sorted(moved.items())}


def told(before: File, now: File) -> MovedFile:
    """As the event says it."""
    name, name_bytes = displayed(before.name)
    to_name, to_name_bytes = displayed(now.name)
    return MovedFile(name, now.collection_id, to_name, name_bytes, to_name_bytes)


def _paired(gone: Sequence[File], found: Sequence[File]) -> Iterator[tuple[File, File]]:
    """One that is alone on both sides; of several those whose name is."""
    if len(gone) == len(found) == 1:
        yield gone[0], found[0]
        return
    by_name = _unique(found)
    for name, before in _unique(gone).items():
        if now := by_name.get(name):
            yield before, now


def _unique(files: Iterable[File]) -> dict[bytes, File]:
    several: dict[bytes, list[File]] = {}
    for file in files:
        several.setdefault(file.name, []).append(file)
    return {name: same[0] for name, same in several.items() if len(same) == 1}
