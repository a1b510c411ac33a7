"""Whatever happens to a tree, and wherever scans of it end, what is remembered never hides anything: a scan that trusts
its rows leaves nothing for one that trusts nothing."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scanner import listing
from services.scanner.diff import Change, Known, collection_id
from services.scanner.identity import Kinship
from services.scanner.images import Images, empty, merge
from services.scanner.opened import Opened
from services.scanner.remembered import FolderRow, Remembered, encode
from services.scanner.scope import FOLDER, Scope
from services.scanner.survey import survey
from services.scanner.tally import Tally
from services.scanner.task import CHANGED, DEEP, QUICK, Task
from tests.support.trees import put_archive

LIBRARY = UUID(int=42)
NAMES = (b"a", b"b", "лето".encode(), b"caf\xe9", b"a-b")
FILES = (b"1.jpg", b"2.png", b"\xff.gif", b"x.zip", b"notes.txt")


class World:
    """A tree on disk, what is recorded of it, and the rows of its folders, as the scanner keeps them."""

    def __init__(self, root: Path) -> None:
        self.root = os.fsencode(root)
        self.recorded: dict[UUID, tuple[Known, Images]] = {}
        self.rows: dict[bytes, bytes] = {}
        self.archives: dict[UUID, Opened] = {}

    def known(self, collection_ids: Sequence[UUID]) -> dict[UUID, Known]:
        return {each: self.recorded[each][0] for each in collection_ids if each in self.recorded}

    def images(self, collection_ids: Sequence[UUID]) -> dict[UUID, Images]:
        return {each: self.recorded[each][1] for each in collection_ids}

    def kinship(
        self, places: Sequence[UUID], *, digests: Sequence[str], archives: Sequence[tuple[int, int]]
    ) -> Kinship:
        return Kinship()

    def opened(self, collection_ids: Sequence[UUID]) -> dict[UUID, Opened]:
        return {each: self.archives[each] for each in collection_ids if each in self.archives}

    def remember(self, opened: dict[UUID, Opened]) -> None:
        self.archives |= opened

    def scan(self, mode: str, *, pages: Sequence[int], rows_lost: bool) -> None:
        """`pages` are numbers of changes after which a page is recorded; the scan is killed after the last of them, if
        there is any, with the rows that come with that page or without them."""
        task = Task(library_id=LIBRARY, root=self.root, scope=Scope(), mode=mode)
        remembered = Remembered(self.rows.items(), quick=mode == QUICK)
        changes, rows, cuts = list[Change](), list[FolderRow](), list(pages)
        for item in survey(task, self, Tally(), lambda: False, remembered):
            if isinstance(item, FolderRow):
                rows.append(item)
                continue
            if cuts and len(changes) >= cuts[0]:
                del cuts[0]
                self._record(changes, [] if rows_lost and not cuts else rows)
                changes, rows = [], []
                if not cuts:
                    return
            changes.append(item)
        self._record(changes, rows)
        for path in remembered.unseen():
            self.rows.pop(path, None)

    def left_for_a_thorough_look(self) -> list[Change | FolderRow]:
        task = Task(library_id=LIBRARY, root=self.root, scope=Scope(), mode=CHANGED)
        found = survey(task, self, Tally(), lambda: False)
        return [item for item in found if isinstance(item, Change)]

    def counts(self, mode: str) -> tuple[int, ...]:
        tally = Tally()
        remembered = Remembered(self.rows.items(), quick=mode == QUICK) if mode != DEEP else Remembered()
        task = Task(library_id=LIBRARY, root=self.root, scope=Scope(), mode=CHANGED if mode == DEEP else mode)
        list(survey(task, self, tally, lambda: False, remembered))
        assert tally.seen <= {each.bytes for each in self.recorded}
        of_collections = (len(tally.seen), tally.collections, tally.images, tally.size_bytes, tally.unchanged)
        of_folders = (tally.folders, tally.files, tally.symlinks, tally.root_entries)
        return (*of_collections, tally.absent_images, *of_folders)

    def _record(self, changes: Sequence[Change], rows: Sequence[FolderRow]) -> None:
        for change in changes:
            entry = change.entry
            before = self.recorded.get(entry.collection_id)
            known = Known(
                digest=entry.digest,
                image_count=entry.image_count,
                size_bytes=entry.size_bytes,
                mtime_ns=entry.mtime_ns,
            )
            self.recorded[entry.collection_id] = known, merge(before[1] if before else empty(), change.images)
            path = entry.path.encode() if entry.path_bytes is None else entry.path_bytes
            self.rows.pop(path if entry.kind == FOLDER else path.rpartition(b"/")[0], None)
        self.rows |= {row.path: encode(row) for row in rows}


def folders(root: bytes) -> list[bytes]:
    return sorted(folder for folder, _, _ in os.walk(root))


def tick(probe: Path) -> None:
    """Until the file system's clock says another time than before: what happens next bears a later one."""
    probe.touch()
    before = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == before:
        probe.touch()


def put_file(folder: bytes, data: st.DataObject) -> None:
    target = Path(os.fsdecode(folder + b"/" + data.draw(st.sampled_from(FILES))))
    target.unlink(missing_ok=True)  # or it would be edited in place, which a quick scan need not see
    if target.suffix == ".zip":
        put_archive(target, *data.draw(st.lists(st.sampled_from(["1.jpg", "2.jpg", "t.txt"]), unique=True)))
    else:
        target.write_bytes(b"x" * data.draw(st.integers(0, 3)))


def lie(folder: bytes, data: st.DataObject) -> None:
    status = Path(os.fsdecode(folder)).stat()
    put_file(folder, data)
    os.utime(folder, ns=(status.st_atime_ns, status.st_mtime_ns))


def move(root: bytes, folder: bytes, data: st.DataObject) -> None:
    elsewhere = [each for each in folders(root) if not (each + b"/").startswith(folder + b"/")]
    new = data.draw(st.sampled_from(elsewhere)) + b"/moved"
    if not os.path.lexists(new):
        os.rename(folder, new)  # noqa: PTH104


def happen(root: bytes, what: str, data: st.DataObject) -> None:
    folder = data.draw(st.sampled_from(folders(root)))
    match what:
        case "add":
            put_file(folder, data)
        case "lie":
            lie(folder, data)
        case "folder":
            os.makedirs(folder + b"/" + data.draw(st.sampled_from(NAMES)), exist_ok=True)  # noqa: PTH103
        case "remove":
            Path(os.fsdecode(folder + b"/" + data.draw(st.sampled_from(FILES)))).unlink(missing_ok=True)
        case "drop" if folder != root:
            shutil.rmtree(folder)
        case "move" if folder != root:
            move(root, folder, data)
        case "link":
            with contextlib.suppress(FileExistsError):
                os.symlink(b"..", folder + b"/link")  # noqa: PTH211
        case _:
            return


@pytest.fixture(scope="module", autouse=True)
def sure_at_once() -> Iterator[None]:
    """Whatever happens waits for the clock's next tick instead."""
    usual, listing.SURE_AFTER_NS = listing.SURE_AFTER_NS, -1
    yield
    listing.SURE_AFTER_NS = usual


@given(st.data())
@settings(deadline=None, max_examples=80)
def test_what_is_remembered_never_hides_anything(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world, probe = World(Path(folder) / "tree"), Path(folder) / "probe"
        os.mkdir(world.root)  # noqa: PTH102
        for _ in range(data.draw(st.integers(1, 4))):
            words = ["add", "add", "add", "folder", "folder", "lie", "remove", "drop", "move", "link"]
            for what in data.draw(st.lists(st.sampled_from(words), max_size=6)):
                tick(probe)
                happen(world.root, what, data)
            mode = data.draw(st.sampled_from([QUICK, QUICK, CHANGED, DEEP]))
            killed = data.draw(st.one_of(st.just([]), st.lists(st.integers(0, 3), max_size=3)))
            world.scan(mode, pages=killed, rows_lost=data.draw(st.booleans()))
        world.scan(data.draw(st.sampled_from([QUICK, CHANGED])), pages=[], rows_lost=False)
        assert world.left_for_a_thorough_look() == []
        assert world.counts(QUICK) == world.counts(CHANGED) == world.counts(DEEP)


def test_the_row_of_a_folder_has_the_ids_of_its_collections() -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a").mkdir()
        (Path(folder) / "a" / "1.jpg").touch()
        put_archive(Path(folder) / "a" / "x.zip", "1.jpg")
        task = Task(library_id=LIBRARY, root=os.fsencode(folder), scope=Scope())
        found = survey(task, World(Path(folder)), Tally(), lambda: False)
        rows = {row.path: row for row in found if isinstance(row, FolderRow)}
        ids = [collection_id(LIBRARY, FOLDER, b"a").bytes, collection_id(LIBRARY, "archive", b"a/x.zip").bytes]
        assert list(rows[b"a"].collection_ids()) == ids
        assert list(rows[b""].collection_ids()) == []
        assert rows[b""].below() == [b"a"]
