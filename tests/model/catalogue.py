"""What the read models must say of a library: what was found, what is missing, and what waits for a person."""

from copy import deepcopy
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID, uuid4

from msgspec import Struct, field

from tests.model.wishes import ARCHIVE, FOLDER

if TYPE_CHECKING:
    from tests.model.looking import Look

Key: TypeAlias = tuple[str, str]  # kind and path
Images: TypeAlias = dict[str, tuple[int, int]]  # size and time by name


class Collection(Struct):
    """`lost` images are missing in it. `file_size` and `mtime_ns` are an archive's own."""

    kind: str
    images: Images
    lost: Images = field(default_factory=dict)
    file_size: int = 0
    mtime_ns: int = 0
    missing: bool = False

    @property
    def size_bytes(self) -> int:
        return self.file_size if self.kind == ARCHIVE else sum(size for size, _ in self.images.values())


class Hold(Struct):
    scan_id: UUID
    proposed: set[Key]
    file_system: str
    rejected: bool = False


class Outcome(Struct):
    """What a scan did about what it did not see. `left_out` collections are recorded where it may not look."""

    absent: set[Key]
    unknown: set[Key]
    left_out: int
    missing: int = 0
    waiting: int = 0


class Deed(Struct):
    """What a scan, or an undo, touched: what that was before it did (None: not known), and when it did so first."""

    before: dict[Key, tuple[int, Collection | None]] = field(default_factory=dict)


class Catalogue:
    def __init__(self) -> None:
        self.deeds: dict[UUID, Deed] = {}  # of scans that were completed and not undone
        self._touches: list[tuple[UUID, Key]] = []
        self.collections: dict[Key, Collection] = {}
        self.hold: Hold | None = None
        self.states: dict[UUID, str] = {}  # of all holds there ever were
        self.file_system = ""

    @property
    def present(self) -> set[Key]:
        return {key for key, collection in self.collections.items() if not collection.missing}

    @property
    def missing(self) -> set[Key]:
        return set(self.collections) - self.present

    def unseen(self, look: "Look", present: set[Key]) -> Outcome:
        """`present` is what was so before the scan."""
        left_out = {key for key in present if look.sieve.leaves_out(*key)}
        there = {*look.seen, *look.only_excluded}
        outside = {key for key in present - left_out if not look.reach.holds(key)}
        not_there = present - left_out - outside - there
        unknown = {key for key in not_there if look.could_not_see(key)}
        counted = sum(look.reach.holds(key) for key in left_out)
        return Outcome(not_there - unknown, unknown | outside, counted)

    def record(self, scan_id: UUID, look: "Look") -> None:
        """What was found new or changed; what was missing and is seen is back."""
        self.deeds[scan_id] = Deed()
        for key, seen in look.seen.items():
            if seen.added or seen.changed or seen.was_missing:
                self._touch(scan_id, key)
            known = self.collections.setdefault(key, Collection(key[0], {}))
            known.missing = False
            if seen.added or seen.changed:
                known.images |= seen.images
                known.lost = {name: held for name, held in known.lost.items() if name not in seen.images}
                if key[0] == ARCHIVE:
                    known.file_size, known.mtime_ns = seen.size_bytes, seen.mtime_ns

    def conclude(
        self, scan_id: UUID, look: "Look", outcome: Outcome, limit: int, *, file_systems: tuple[str, str]
    ) -> set[Key]:
        """Mark, or ask. `limit` collections may go unasked. Returns whose content changed."""
        before, after = file_systems
        steady, hold = before == after, self.hold
        proposed = (hold.proposed & set(self.collections)) - self.missing_before(look) if hold else set()
        kept = proposed if hold and hold.rejected else set[Key]()
        fresh = outcome.absent - kept
        doubtful = (
            not look.root_entries
            or (look.reach.whole and not look.seen)
            or not (steady and self.file_system in ("", before))
            or len(outcome.absent) > limit
        )
        where = before if steady else ""
        if outcome.absent and (fresh or not kept) and doubtful:
            self._ask(scan_id, outcome.absent | (proposed - kept) & outcome.unknown, proposed - kept, where)
            outcome.waiting = len(outcome.absent | (proposed - kept) & outcome.unknown)
            return set()
        touched = self._mark(scan_id, fresh, look if steady and not (kept and outcome.absent) else None, outcome)
        left = (proposed - kept) & outcome.unknown
        if hold and not hold.rejected and left:
            self._ask(scan_id, left, proposed, where)
            outcome.waiting = len(left)
        elif look.seen and not kept & outcome.absent:
            self._settle()
            self.file_system = where or self.file_system
        elif hold and not hold.rejected:
            outcome.waiting = len(hold.proposed)
        return touched

    def missing_before(self, look: "Look") -> set[Key]:
        """Missing when the scan judged: what it found changed was present again by then, what it restored was not."""
        return self.missing | {key for key, seen in look.seen.items() if seen.restored}

    def approve(self) -> set[Key]:
        assert self.hold
        gone = self.hold.proposed & self.present
        for key in gone:
            self._touch(self.hold.scan_id, key)
            self.collections[key].missing = True
        self.states[self.hold.scan_id] = "approved"
        self.file_system = self.hold.file_system or self.file_system
        self.hold = None
        return gone

    def reject(self) -> None:
        assert self.hold
        self.hold.rejected = True
        self.states[self.hold.scan_id] = "rejected"

    def _ask(self, scan_id: UUID, wanted: set[Key], proposed: set[Key], file_system: str) -> None:
        if wanted == proposed:
            return
        if self.hold and not self.hold.rejected:
            self.states[self.hold.scan_id] = "replaced"
        self.hold = Hold(scan_id, set(wanted), file_system)
        self.states[scan_id] = "held"

    def _settle(self) -> None:
        if self.hold and not self.hold.rejected:
            self.states[self.hold.scan_id] = "settled"
        self.hold = None

    def undo(self, scan_id: UUID) -> tuple[set[Key], set[Key]]:
        """What it touched, and nothing later did, is as it was before. Returns those, and those that are left alone."""
        touched = self.deeds.pop(scan_id).before
        later = {
            key
            for key, (at, _) in touched.items()
            if any(who != scan_id and what == key for who, what in self._touches[at:])
        }
        undoing = uuid4()
        self.deeds[undoing] = Deed()
        for key, (_, before) in touched.items():
            if key in later:
                continue
            self._touch(undoing, key)
            if before is None:
                del self.collections[key]
            else:
                self.collections[key] = before
        del self.deeds[undoing]
        if self.hold and self.hold.scan_id == scan_id:
            self._settle()
        return set(touched) - later, later

    def _touch(self, who: UUID, key: Key) -> None:
        if key not in self.deeds.setdefault(who, Deed()).before:
            before = (len(self._touches), deepcopy(self.collections.get(key)))
            self.deeds[who].before[key] = before
        self._touches.append((who, key))

    def _mark(self, scan_id: UUID, gone: set[Key], look: "Look | None", outcome: Outcome) -> set[Key]:
        touched = set(gone)
        for key in gone:
            self._touch(scan_id, key)
            self.collections[key].missing = True
        outcome.missing += len(gone)
        for key, seen in {**look.seen, **look.only_excluded}.items() if look else ():
            known = self.collections[key]
            if not seen.gone or known.missing:
                continue
            self._touch(scan_id, key)
            for name in seen.gone:
                known.lost[name] = known.images.pop(name)
            known.file_size = seen.size_bytes
            outcome.missing += len(seen.gone)
            touched.add(key)
        return touched


def folder_of(key: Key) -> str:
    """Whose row speaks of the collection."""
    return key[1] if key[0] == FOLDER else key[1].rpartition("/")[0]
