"""Whether a collection that nobody knows at its place is one that was known elsewhere. Pure.

The evidence is all that a walk sees: the names, sizes and times (to the nanosecond) of its images; of an archive its
own size and time as well. A copy that keeps the times looks the same, so what counts in the end is that the old place
is empty.
"""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from msgspec import Struct

from linstock import names
from services.scanner.diff import Known, Seen
from services.scanner.scope import ARCHIVE


class Kin(Struct, frozen=True, kw_only=True):
    """A recorded collection that may be the one that was seen. `library_id` and `root` are set of one of another
    library."""

    collection_id: UUID
    kind: str
    path: bytes
    known: Known
    library_id: UUID | None = None
    root: bytes | None = None


class Kinship(Struct, frozen=True):
    """Of some places where nobody is known: collections like those seen there, and which of the ids that the places
    would give are in use, by collections that have moved away. `version` is the catalogue's."""

    kin: tuple[Kin, ...] = ()
    taken: frozenset[UUID] = frozenset()
    version: int = 0

    def id_at(self, place: UUID, *, left: bool) -> UUID:
        """Of a new collection. `left`: the one that was there has gone just now."""
        taken = left or place in self.taken
        return names.derived_id("collection-again", place, self.version) if taken else place


def origin(seen: Seen, kin: Sequence[Kin], *, is_gone: Callable[[Kin], bool]) -> Kin | None:
    """The one that it was, in its own library or else in another."""
    ours = (each for each in kin if each.library_id is None)
    others = (each for each in kin if each.library_id is not None)
    return _origin(seen, ours, is_gone) or _origin(seen, others, is_gone)


def _origin(seen: Seen, kin: Iterable[Kin], is_gone: Callable[[Kin], bool]) -> Kin | None:
    """Of several that all are gone, the only one of the same name; else nobody knows."""
    gone = [each for each in kin if _alike(seen, each) and is_gone(each)]
    if len(gone) > 1:
        gone = [each for each in gone if _name(each.path) == _name(seen.path)]
    return gone[0] if len(gone) == 1 else None


def _alike(seen: Seen, kin: Kin) -> bool:
    here = kin.library_id is None and kin.path == seen.path
    if kin.kind != seen.kind or here or kin.known.digest != seen.images.digest():
        return False
    return seen.kind != ARCHIVE or (seen.size_bytes, seen.mtime_ns) == (kin.known.size_bytes, kin.known.mtime_ns)


def _name(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]
