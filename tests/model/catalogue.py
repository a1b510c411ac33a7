"""What the read models must say of a library: what was found, what is missing, and what waits for a person."""

from copy import deepcopy
from itertools import count
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
    number: int  # its own, wherever it is
    lost: Images = field(default_factory=dict)
    file_size: int = 0
    mtime_ns: int = 0
    missing: bool = False

    @property
    def size_bytes(self) -> int:
        return self.file_size if self.kind == ARCHIVE else sum(size for size, _ in self.images.values())


class Hold(Struct):
    scan_id: UUID
    proposed: set[int]  # numbers of collections
    file_system: str
    rejected: bool = False


class Outcome(Struct):
    """What a scan did about what it did not see. `left_out` collections are recorded where it may not look."""

    absent: set[Key]
    unknown: set[Key]
    left_out: int
    missing: int = 0
    waiting: int = 0
    moved_images: int = 0
    emptied: set[Key] = field(default_factory=set)


class Deed(Struct):
    """What a scan, or an undo, touched: what that was before it did (None: not known), and when it did so first."""

    before: dict[int, tuple[int, tuple[Key, Collection] | None]] = field(default_factory=dict)


class Catalogue:
    def __init__(self) -> None:
        self.deeds: dict[UUID, Deed] = {}  # of scans that were completed and not undone
        self._touches: list[tuple[UUID, int]] = []
        self._numbers = count(1)
        self._found: dict[tuple[Key, str], tuple[int, int]] = {}  # images that a scan found new or changed in folders
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

    def keys_of(self, numbers: set[int]) -> set[Key]:
        """Where those are now that are known still."""
        return {key for key, collection in self.collections.items() if collection.number in numbers}

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
        """What was found new, changed or elsewhere; what was missing and is seen is back."""
        self._found = {}
        self.deeds[scan_id] = Deed()
        moved = {key: seen.moved_from for key, seen in look.seen.items() if seen.moved_from}
        for origin in moved.values():
            self._touch(scan_id, origin)
        self.collections |= {key: self.collections.pop(origin) for key, origin in moved.items()}
        for key, seen in look.seen.items():
            if seen.changed or seen.restored:
                self._touch(scan_id, key)
            elif seen.added:
                self.collections[key] = Collection(key[0], {}, next(self._numbers))
                self._touch(scan_id, key, new=True)
            known = self.collections[key]
            known.missing = False
            if seen.added or seen.changed:
                if key[0] == FOLDER:
                    new = {name: is_now for name, is_now in seen.images.items() if known.images.get(name) != is_now}
                    self._found |= {(key, name): is_now for name, is_now in new.items()}
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
        left = self._move_images(scan_id, look, outcome) if steady else set[Key]()
        return left | self._judge(scan_id, look, outcome, limit, before=before, steady=steady, hold=hold)

    def _move_images(self, scan_id: UUID, look: "Look", outcome: Outcome) -> set[Key]:
        """An image that is gone, and the only one that looks as one that was found, or of several alike the only one of
        its name. Returns what they have left."""
        lost = {
            (key, name): self.collections[key].images[name]
            for key, seen in {**look.seen, **look.only_excluded}.items()
            if key[0] == FOLDER and not self.collections[key].missing
            for name in seen.gone
        }
        absent = {key: set(self.collections[key].images) for key in outcome.absent if key[0] == FOLDER}
        lost |= {(key, name): self.collections[key].images[name] for key, names in absent.items() for name in names}
        for looks in set(lost.values()) & set(self._found.values()):
            gone = [each for each, was in lost.items() if was == looks]
            found = [each for each, is_now in self._found.items() if is_now == looks]
            for key, name in gone:
                alone = len(gone) == len(found) == 1
                named = [sum(other == name for _, other in side) for side in (gone, found)]
                if alone or named == [1, 1]:
                    self._touch(scan_id, key)
                    del self.collections[key].images[name]
                    outcome.moved_images += 1
                    if key in look.seen or key in look.only_excluded:
                        {**look.seen, **look.only_excluded}[key].gone.remove(name)
        left = {key for key, _ in lost if not self.collections[key].images}
        outcome.emptied = {key for key in absent if absent[key] and key in left}
        for key in outcome.emptied:
            self.collections[key].missing = True
        outcome.missing += len(outcome.emptied)
        return {key for key, name in lost if name not in self.collections[key].images}

    def _judge(
        self,
        scan_id: UUID,
        look: "Look",
        outcome: Outcome,
        limit: int,
        *,
        before: str,
        steady: bool,
        hold: Hold | None,
    ) -> set[Key]:
        absent = outcome.absent - outcome.emptied
        proposed = self.keys_of(hold.proposed) - self.missing_before(look) if hold else set()
        kept = proposed if hold and hold.rejected else set[Key]()
        fresh = absent - kept
        doubtful = (
            not look.root_entries
            or (look.reach.whole and not look.seen)
            or not (steady and self.file_system in ("", before))
            or len(absent) > limit
        )
        where = before if steady else ""
        if absent and (fresh or not kept) and doubtful:
            self._ask(scan_id, absent | (proposed - kept) & outcome.unknown, proposed - kept, where)
            outcome.waiting = len(absent | (proposed - kept) & outcome.unknown)
            return set()
        touched = self._mark(scan_id, fresh, look if steady and not (kept and absent) else None, outcome)
        left = (proposed - kept) & outcome.unknown
        if hold and not hold.rejected and left:
            self._ask(scan_id, left, proposed, where)
            outcome.waiting = len(left)
        elif look.seen and not kept & absent:
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
        gone = self.keys_of(self.hold.proposed) & self.present
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

    @property
    def is_missing_something(self) -> bool:
        return any(known.missing or known.lost for known in self.collections.values())

    def purge(self) -> tuple[set[Key], int]:
        """Which collections it forgets, and how many images of others."""
        purging, images = uuid4(), 0
        gone = self.missing
        for key in gone:
            self._touches.append((purging, self.collections.pop(key).number))
        for known in self.collections.values():
            if known.lost:
                self._touches.append((purging, known.number))
                images += len(known.lost)
                known.lost = {}
        return gone, images

    def _ask(self, scan_id: UUID, wanted: set[Key], proposed: set[Key], file_system: str) -> None:
        if wanted == proposed:
            return
        if self.hold and not self.hold.rejected:
            self.states[self.hold.scan_id] = "replaced"
        self.hold = Hold(scan_id, {self.collections[key].number for key in wanted}, file_system)
        self.states[scan_id] = "held"

    def _settle(self) -> None:
        if self.hold and not self.hold.rejected:
            self.states[self.hold.scan_id] = "settled"
        self.hold = None

    def undo(self, scan_id: UUID) -> tuple[set[Key], int, int]:
        """What it touched, and nothing later did, is as it was before. Returns where that was, how many there are, and
        how many are left alone."""
        touched = self.deeds[scan_id].before
        later = {number for number in touched if self._is_later(scan_id, number)}
        del self.deeds[scan_id]
        where = {collection.number: key for key, collection in self.collections.items()}
        undoing, changed, back = uuid4(), set[Key](), dict[Key, Collection]()
        for number in touched.keys() - later:
            self._touches.append((undoing, number))
            changed.add(where[number])
            del self.collections[where[number]]
            if before := touched[number][1]:
                back[before[0]] = before[1]
        self.collections |= back
        if self.hold and self.hold.scan_id == scan_id:
            self._settle()
        return changed, len(touched) - len(later), len(later)

    def may_undo(self, scan_id: UUID) -> bool:
        """Not if two collections would be at one place then."""
        touched = self.deeds[scan_id].before
        undone = self._undone_by(scan_id)
        stays = {key for key, collection in self.collections.items() if collection.number not in undone}
        places = [before[0] for number in undone if (before := touched[number][1])]
        return len({*places, *stays}) == len(places) + len(stays)

    def _undone_by(self, scan_id: UUID) -> set[int]:
        """What nothing touched since, and nobody is where it was."""
        touched = self.deeds[scan_id].before
        undone = {number for number in touched if not self._is_later(scan_id, number)}
        while blocked := {
            number
            for number in undone
            if (before := touched[number][1]) and not before[1].missing
            if (there := self.collections.get(before[0])) and not there.missing and there.number not in undone
        }:
            undone -= blocked
        return undone

    def _is_later(self, scan_id: UUID, number: int) -> bool:
        """Whether another touched it after the scan did."""
        at, _ = self.deeds[scan_id].before[number]
        return any(who != scan_id and what == number for who, what in self._touches[at:])

    def _touch(self, who: UUID, key: Key, *, new: bool = False) -> None:
        collection = self.collections[key]
        if collection.number not in self.deeds[who].before:
            before = None if new else (key, deepcopy(collection))
            self.deeds[who].before[collection.number] = (len(self._touches), before)
        self._touches.append((who, collection.number))

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
