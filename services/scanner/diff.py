"""What a scan saw against what was recorded: the changes that are worth recording. Pure.

Nothing is marked missing here. What was recorded and is not seen stays part of its collection, and is counted as
excluded when the library's settings leave it out, as absent otherwise; what is surely gone is named beside it.
"""

from collections.abc import Callable
from functools import lru_cache
from uuid import UUID

from msgspec import Struct

from linstock import names
from linstock.messages.catalogue import Arrival, CollectionEntry
from services.scanner.images import Images, changed_since, displayed, empty, merge
from services.scanner.scope import FOLDER


class Seen(Struct, frozen=True, kw_only=True):
    """One collection as it is on disk. `size_bytes` and `mtime_ns` are the archive's own; 0 for a folder."""

    collection_id: UUID
    kind: str
    path: bytes
    images: Images
    size_bytes: int = 0
    mtime_ns: int = 0


class Known(Struct, frozen=True, kw_only=True):
    """One collection as it was recorded last. An empty digest: only the first pages of its images were. `own_id` is
    its id where that is not its place's: it has moved."""

    digest: str
    image_count: int
    size_bytes: int
    mtime_ns: int
    missing: bool = False
    own_id: UUID | None = None


class Change(Struct, frozen=True, kw_only=True):
    """What to record of one collection: all of its entry, and the images that are new or changed. `before`: what was
    recorded; `moved_from`: the path where, if it was elsewhere. `arrival`: it was in another library."""

    entry: CollectionEntry
    images: Images
    before: Known | None
    moved_from: bytes | None = None
    arrival: Arrival | None = None

    @property
    def added(self) -> bool:
        return self.before is None and self.arrival is None


class Gone(Struct, frozen=True, kw_only=True):
    """Images of a collection that are not there, and what it is once they are marked missing. `names` ascend. `files`:
    as they were recorded, where they may have gone elsewhere (members of archives don't)."""

    collection_id: UUID
    names: list[bytes]
    image_count: int
    size_bytes: int
    digest: str
    files: Images | None = None


class Unchanged(Struct, frozen=True, kw_only=True):
    """Recorded images that were not seen: because settings leave them out, or otherwise. `gone` are those of the latter
    that could have been seen."""

    absent_images: int = 0
    excluded_images: int = 0
    gone: Gone | None = None


class Changed(Unchanged, frozen=True, kw_only=True):
    change: Change


Difference = Unchanged | Changed


@lru_cache(4096)  # a scan asks for each several times in a row
def collection_id(library_id: UUID, kind: str, path: bytes) -> UUID:
    """The same for one path in a library for ever, whatever its encoding."""
    return names.derived_id("collection", library_id, kind, path.hex())


def is_as_recorded(seen: Seen, known: Known) -> bool:
    """True without a look at the recorded images; False says nothing yet when images are absent."""
    return seen.images.digest() == known.digest and _same_archive(seen, known)


def _nothing(_name: bytes) -> bool:
    return False


def moved(seen: Seen, before: Known, path: bytes) -> Change:
    """It is as it was, at another place than `path`."""
    return Change(entry=_entry(seen, seen.images), images=empty(), before=before, moved_from=path)


def arrived(seen: Seen, from_library_id: UUID, from_collection_id: UUID, path: bytes) -> Change:
    """It was at `path` in another library, and is recorded here as it is."""
    from_path, from_path_bytes = displayed(path)
    arrival = Arrival(
        collection_id=seen.collection_id,
        from_library_id=from_library_id,
        from_collection_id=from_collection_id,
        from_path=from_path,
        from_path_bytes=from_path_bytes,
    )
    return Change(entry=_entry(seen, seen.images), images=seen.images, before=None, arrival=arrival)


def compare(
    seen: Seen,
    known: Known | None,
    recorded: Images | None = None,
    *,
    leaves_out: Callable[[bytes], bool] = _nothing,
    unreadable: Callable[[bytes], bool] = _nothing,
) -> Difference:
    """`recorded` are the images that the log has of a known collection; they are needed only when
    `is_as_recorded` is False. `leaves_out` says of a name whether the settings do, `unreadable` whether it might be
    there for all we know."""
    if known is None:
        return Changed(change=Change(entry=_entry(seen, seen.images), images=seen.images, before=None))
    if is_as_recorded(seen, known):
        return Unchanged()
    recorded = recorded if recorded is not None else empty()
    together = merge(recorded, seen.images)
    unseen = _unseen(recorded, seen.images) if len(together) > len(seen.images) else []
    absent = [name for name in unseen if not leaves_out(name)]
    excluded = len(unseen) - len(absent)
    gone = _gone(seen, together, [name for name in absent if not unreadable(name)])
    entry = _entry(seen, together)
    if entry.digest == known.digest and _same_archive(seen, known):
        return Unchanged(absent_images=len(absent), excluded_images=excluded, gone=gone)
    change = Change(entry=entry, images=changed_since(recorded, seen.images), before=known)
    return Changed(change=change, absent_images=len(absent), excluded_images=excluded, gone=gone)


def _unseen(recorded: Images, seen: Images) -> list[bytes]:
    there = set(seen.names)
    return [name for name in recorded.names if name not in there]


def _gone(seen: Seen, together: Images, names: list[bytes]) -> Gone | None:
    if not names:
        return None
    without = set(names)
    left = _entry(seen, together.pick([at for at, name in enumerate(together.names) if name not in without]))
    files = together.pick([at for at, name in enumerate(together.names) if name in without])
    return Gone(
        collection_id=seen.collection_id,
        names=names,
        image_count=left.image_count,
        size_bytes=left.size_bytes,
        digest=left.digest,
        files=files if seen.kind == FOLDER else None,
    )


def _same_archive(seen: Seen, known: Known) -> bool:
    return seen.kind == FOLDER or (seen.size_bytes, seen.mtime_ns) == (known.size_bytes, known.mtime_ns)


def _entry(seen: Seen, images: Images) -> CollectionEntry:
    path, path_bytes = displayed(seen.path)
    return CollectionEntry(
        collection_id=seen.collection_id,
        path=path,
        path_bytes=path_bytes,
        name=displayed(seen.path.rpartition(b"/")[2])[0],
        kind=seen.kind,
        image_count=len(images),
        size_bytes=images.size_bytes if seen.kind == FOLDER else seen.size_bytes,
        mtime_ns=seen.mtime_ns,
        digest=images.digest(),
    )
