"""A library, what people wish of it, and its scans: after each, the read models say what the model expects."""

from typing import ClassVar
from uuid import uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from linstock.bus.inbox import Refused
from linstock.messages.catalogue import ApproveRemovals, PurgeMissing, RejectRemovals, UndoScan
from linstock.messages.library import DEFAULT_EXTENSIONS, RemovalGuard
from linstock.messages.scan import ScanCompleted, ScanFailed
from tests.model import expected
from tests.model.catalogue import Catalogue, Key, Outcome, folder_of
from tests.model.disk import Archive, Folder, Image, Text, archive_of, image_of
from tests.model.happenings import ARCHIVE_NAMES, FOLDER_NAMES, IMAGE_NAMES, Happenings, lines, some
from tests.model.looking import Look, Memory
from tests.model.reach import reach_of
from tests.model.wishes import Wishes
from tests.model.world import World

GUARDS = (
    RemovalGuard(),
    RemovalGuard(max_removed_percent=100, min_always=100),
    RemovalGuard(max_removed_percent=0, min_always=1),
    RemovalGuard(max_removed_percent=0, max_removed=0, min_always=0),
)
EXTENSIONS = (
    DEFAULT_EXTENSIONS,
    tuple(each for each in DEFAULT_EXTENSIONS if each != ".png"),
    tuple(each for each in DEFAULT_EXTENSIONS if each not in (".jpg", ".zip")),
    (".zip", ".cbz"),
)

modes = st.sampled_from(("quick", "changed", "deep"))


class Library(Happenings):
    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.library_id = uuid4()
        self.wishes = Wishes()
        self.memory = Memory()
        self.catalogue = Catalogue()
        self.ids: dict[int, object] = {}

    @initialize(kinds=st.lists(st.tuples(some, some), min_size=6, max_size=10), guard=st.sampled_from(GUARDS))
    def begin(self, kinds: list[tuple[int, int]], guard: RemovalGuard) -> None:
        self.wishes = Wishes(guard=guard)
        for where, what in kinds:
            if path := self._new(where, FOLDER_NAMES[what % len(FOLDER_NAMES)]):
                self.disk.make_folder(path)
            if what % 3 and (path := self._new(what, IMAGE_NAMES[where % len(IMAGE_NAMES)])):
                self.disk.write(path, image_of(path, 1, self.disk.tick()))
            elif path := self._new(where, ARCHIVE_NAMES[what % len(ARCHIVE_NAMES)]):
                self.disk.write(path, archive_of({"1.jpg": 1, "2.jpg": 2, "1.png": 1}, self.disk.tick()))
        self.scan("changed", [], dry_run=False, unsteady=False)

    # What people wish.

    @rule(
        excluded=st.one_of(st.just(()), lines),
        extensions=st.sampled_from((DEFAULT_EXTENSIONS, *EXTENSIONS)),
        subfolders=st.sampled_from((True, True, True, False)),
    )
    def settings(self, excluded: tuple[str, ...], extensions: tuple[str, ...], *, subfolders: bool) -> None:
        self.wishes = Wishes(excluded, extensions, subfolders, self.wishes.guard)

    @rule(guard=st.sampled_from(GUARDS))
    def guard(self, guard: RemovalGuard) -> None:
        self.wishes = Wishes(self.wishes.excluded, self.wishes.extensions, self.wishes.subfolders, guard)

    @precondition(lambda self: self.catalogue.hold and not self.catalogue.hold.rejected)
    @rule(approved=st.booleans())
    def decide(self, *, approved: bool) -> None:
        hold = self.catalogue.hold
        assert hold
        if approved and not self.catalogue.keys_of(hold.proposed) & self.catalogue.present:
            with pytest.raises(Refused, match="was not noted"):
                self.world.tell(ApproveRemovals(library_id=self.library_id, scan_id=hold.scan_id))
            return
        if not approved:
            self.world.tell(RejectRemovals(library_id=self.library_id, scan_id=hold.scan_id))
            self.catalogue.reject()
            return
        self.world.tell(ApproveRemovals(library_id=self.library_id, scan_id=hold.scan_id))
        self._touched(self.catalogue.approve())

    @precondition(lambda self: self.catalogue.deeds)
    @rule(which=st.integers(0, 3))
    def undo(self, which: int) -> None:
        """One of the newest."""
        scans = list(self.catalogue.deeds)
        scan_id = scans[-1 - which % len(scans)]
        if not self.catalogue.may_undo(scan_id):
            return
        answer = self.world.tell(UndoScan(library_id=self.library_id, scan_id=scan_id))
        changed, undone, left_alone = self.catalogue.undo(scan_id)
        self._touched(changed)
        told = answer.undone
        assert told
        assert told.left_alone == left_alone
        assert told.withdrawn + told.changed + told.restored + told.missing == undone

    @precondition(lambda self: self.catalogue.is_missing_something)
    @rule()
    def purge(self) -> None:
        told = self.world.tell(PurgeMissing(library_id=self.library_id)).purged
        assert told
        collections, images = self.catalogue.purge()
        assert (told.collections, told.images) == (len(collections), images)
        self._touched(collections)

    @rule()
    def forget_index(self) -> None:
        self.world.forget_index(self.library_id)
        self.memory.rows = {}

    # Scans.

    @rule(mode=modes, unsteady=st.sampled_from((False,) * 9 + (True,)))
    def scan_all(self, mode: str, *, unsteady: bool) -> None:
        self.scan(mode, [], dry_run=False, unsteady=unsteady)

    @rule(mode=modes)
    def scan_all_again(self, mode: str) -> None:
        """Twice in a row, whatever the modes: nothing is new the second time."""
        self.scan("changed", [], dry_run=False, unsteady=False)
        self.scan(mode, [], dry_run=False, unsteady=False)

    @rule(mode=modes, paths=st.lists(some, min_size=1, max_size=3))
    def scan_parts(self, mode: str, paths: list[int]) -> None:
        """As somebody asks for, or hints lead to."""
        self.scan(mode, self._paths(paths), dry_run=False, unsteady=False)

    @rule(mode=modes, paths=st.one_of(st.just([]), st.lists(some, max_size=2)))
    def scan_dry(self, mode: str, paths: list[int]) -> None:
        self.scan(mode, self._paths(paths), dry_run=True, unsteady=False)

    def _paths(self, numbers: list[int]) -> list[str]:
        """Of what is there, and of what was."""
        there = self.disk.all((Image, Archive, Text, Folder)) if self.disk.mounted else []
        found = sorted({*there, *(path for _, path in self.catalogue.collections)})
        return [found[number % len(found)] for number in numbers] if found else []

    def scan(self, mode: str, paths: list[str], *, dry_run: bool, unsteady: bool) -> None:
        before, there = self.disk.file_system(), iter([self.disk.file_system(), "another"])
        self.world.file_system_of = (lambda: next(there)) if unsteady else self.disk.file_system
        was_missing = self.catalogue.missing
        scan_id, verdict, told = self.world.scan(
            self.library_id, self.disk.root, self.wishes, mode, paths, dry_run=dry_run
        )
        if not self.disk.mounted:
            assert isinstance(verdict, ScanFailed)
            assert (verdict.code, verdict.final) == ("root_missing", True)
            return
        assert isinstance(verdict, ScanCompleted), verdict
        reach = reach_of(self.disk, paths)
        look = Look(self.disk, self.wishes, mode, reach, self.memory, self.catalogue)
        if dry_run:
            outcome = self.catalogue.unseen(look, self.catalogue.present)
            assert expected.told(told) == expected.changes(look, self.catalogue)
        else:
            self.catalogue.record(scan_id, look)
            present = self.catalogue.present - {
                key for key, seen in look.seen.items() if seen.added or seen.was_missing
            }
            outcome = self.catalogue.unseen(look, present)
            limit = self._limit(look, present, outcome)
            self._touched({seen.moved_from for seen in look.seen.values() if seen.moved_from})
            self._remember(look)
            where = (before, "another" if unsteady else before)
            self._touched(self.catalogue.conclude(scan_id, look, outcome, limit, file_systems=where))
            self._is_safe(was_missing | outcome.emptied, limit)
        assert verdict.counts == expected.counts(look, outcome, verdict.counts)
        assert verdict.held == outcome.waiting

    def _limit(self, look: Look, present: set[Key], outcome: Outcome) -> int:
        """How many collections may go unasked."""
        guard = self.wishes.guard
        looked_for = len({key for key in present if not look.sieve.leaves_out(*key)})
        share = max(len(outcome.absent), looked_for) * guard.max_removed_percent // 100
        return min(max(guard.min_always, share), guard.max_removed)

    def _is_safe(self, was_missing: set[Key], limit: int) -> None:
        """Whatever the model says: what is newly missing is not there, and no more than may be."""
        newly = self.catalogue.missing - was_missing
        assert not newly or self.disk.tree.entries
        assert len(newly) <= limit
        for kind, path in newly:
            node = self.disk.at(path)
            held = node.entries.values() if isinstance(node, Folder) else ()
            if kind == "folder":
                assert not any(isinstance(each, Image) for each in held) or (
                    isinstance(node, Folder) and not node.locked
                )
            else:
                assert not isinstance(node, Archive) or node.members is not None

    def _remember(self, look: Look) -> None:
        self.memory.opened |= look.opened
        rows = self.memory.rows
        if self.memory.look != self.wishes.look:
            if look.rows:
                self.memory.look, self.memory.rows = self.wishes.look, dict(look.rows)
            else:
                self._touched({key for key, seen in look.seen.items() if seen.added or seen.changed})
            return
        gone = [path for path in rows if look.reach.holds(("folder", path)) and path not in look.rows]
        for path in gone:
            del rows[path]
        rows |= look.rows

    def _touched(self, changed: set[Key]) -> None:
        for key in changed:
            self.memory.rows.pop(folder_of(key), None)

    @invariant()
    def the_read_models_say_so(self) -> None:
        shown = self.world.shown(self.library_id)
        assert shown == {key: expected.shown(self.catalogue, key) for key in self.catalogue.collections}
        sums: dict[tuple[str, str], tuple[int, int, int]] = {}
        for (kind, _), row in shown.items():
            many, images, size = sums.get((row.state, kind), (0, 0, 0))
            sums[row.state, kind] = (many + 1, images + row.images, size + row.size_bytes)
        assert self.world.sums(self.library_id) == sums
        assert self.world.holds(self.library_id) == self.catalogue.states
        if hold := self.catalogue.hold:
            assert self.world.proposed(hold.scan_id) == self.catalogue.keys_of(hold.proposed)
        for key, collection_id in self.world.ids(self.library_id).items():
            number = self.catalogue.collections[key].number
            assert self.ids.setdefault(number, collection_id) == collection_id  # for ever, wherever it goes
