"""What a scan saw against what was recorded: the changes that are worth recording. Pure.

Nothing is marked missing here. What was recorded and is not seen stays part of its collection, and is counted as
excluded when the library's settings leave it out, as absent otherwise.
"""

from collections.abc import Callable
from uuid import UUID

from msgspec import Struct

from linstock import names
from linstock.messages.catalogue import CollectionEntry
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
    """One collection as it was recorded last. An empty digest: only the first pages of its images were."""

    digest: str
    image_count: int
    size_bytes: int
    mtime_ns: int


class Change(Struct, frozen=True, kw_only=True):
    """What to record of one collection: all of its entry, and the images that are new or changed. `before`: what was
    recorded."""

    entry: CollectionEntry
    images: Images
    before: Known | None

    @property
    def added(self) -> bool:
        return self.before is None


class Unchanged(Struct, frozen=True, kw_only=True):
    """Recorded images that were not seen: because settings leave them out, or otherwise."""

    absent_images: int = 0
    excluded_images: int = 0


class Changed(Unchanged, frozen=True, kw_only=True):
    change: Change


Difference = Unchanged | Changed


def collection_id(library_id: UUID, kind: str, path: bytes) -> UUID:
    """The same for one path in a library for ever, whatever its encoding."""
    return names.derived_id("collection", library_id, kind, path.hex())


def is_as_recorded(seen: Seen, known: Known) -> bool:
    """True without a look at the recorded images; False says nothing yet when images are absent."""
    return seen.images.digest() == known.digest and _same_archive(seen, known)


def _nothing(_name: bytes) -> bool:
    return False


def compare(
    seen: Seen, known: Known | None, recorded: Images | None = None, *, leaves_out: Callable[[bytes], bool] = _nothing
) -> Difference:
    """`recorded` are the images that the log has of a known collection; they are needed only when
    `is_as_recorded` is False. `leaves_out` says of a name whether the settings do."""
    if known is None:
        return Changed(change=Change(entry=_entry(seen, seen.images), images=seen.images, before=None))
    if is_as_recorded(seen, known):
        return Unchanged()
    recorded = recorded if recorded is not None else empty()
    together = merge(recorded, seen.images)
    unseen = len(together) - len(seen.images)
    excluded = _count_left_out(recorded, seen.images, leaves_out) if unseen else 0
    entry = _entry(seen, together)
    if entry.digest == known.digest and _same_archive(seen, known):
        return Unchanged(absent_images=unseen - excluded, excluded_images=excluded)
    change = Change(entry=entry, images=changed_since(recorded, seen.images), before=known)
    return Changed(change=change, absent_images=unseen - excluded, excluded_images=excluded)


def _count_left_out(recorded: Images, seen: Images, leaves_out: Callable[[bytes], bool]) -> int:
    there = set(seen.names)
    return sum(name not in there and leaves_out(name) for name in recorded.names)


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
