"""What is not there any more: marked missing, held, approved, rejected, and back again."""

import errno
import random
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from linstock.bus.inbox import CommandContext, Refused
from linstock.eventlog.record import VersionConflict
from linstock.messages.catalogue import (
    ApproveRemovals,
    CollectionsRestored,
    FileEntry,
    HoldSettled,
    RejectRemovals,
    RemovalsApproved,
    RemovalsHeld,
)
from linstock.messages.library import RemovalGuard
from linstock.messages.scan import ScanCompleted
from services.scanner import walk
from services.scanner.catalogue import CATALOGUE
from services.scanner.ledger import Ledger
from services.scanner.listing import Listing, list_folder
from tests.integration.scanner.conftest import LIBRARY, Scanner, another_scan, origin_of
from tests.support.trees import put, put_archive, put_broken_archive, put_many

NOW = datetime(2026, 3, 29, 2, tzinfo=UTC)


def folder(number: int) -> str:
    return f"folder-{number:05}"


class Shelf:
    """Where folders of a library are while they are not in it; they keep their times."""

    def __init__(self, photos: Path) -> None:
        self._photos = photos
        self._away = photos.parent / "away"
        self._away.mkdir()

    def take(self, *names: str) -> None:
        for name in names:
            (self._photos / name).rename(self._away / name)

    def put_back(self, *names: str) -> None:
        for name in names:
            (self._away / name).rename(self._photos / name)


@pytest.fixture
def shelf(photos: Path) -> Shelf:
    """The library has 50 collections of two images."""
    put_many(photos, folders=50, images=2)
    return Shelf(photos)


async def scanned(scanner: Scanner, photos: Path, **settings: Any) -> ScanCompleted:
    return await scanner.completed(await scanner.scan(photos, **settings))


async def holds(scanner: Scanner) -> list[RemovalsHeld]:
    return [event for event in await scanner.catalogue() if isinstance(event, RemovalsHeld)]


async def replays(scanner: Scanner) -> bool:
    """Whether the log alone makes the same rows."""
    await scanner.missing()  # catches up
    before = await scanner.indexed()
    await scanner.index.rebuild(scanner.log, LIBRARY)
    return await scanner.indexed() == before


async def test_a_few_are_marked_at_once_and_come_back_by_themselves(
    scanner: Scanner, photos: Path, shelf: Shelf
) -> None:
    await scanner.scan(photos)
    shelf.take(folder(7), folder(8))
    gone = await scanned(scanner, photos)
    assert (gone.held, gone.counts.absent, gone.counts.missing, gone.counts.collections) == (0, 2, 2, 48)
    assert await scanner.missing() == {folder(7), folder(8)}
    again = await scanned(scanner, photos)
    assert (again.counts.absent, again.counts.missing, again.held) == (0, 0, 0)
    shelf.put_back(folder(7), folder(8))
    back = await scanned(scanner, photos)
    assert (back.counts.restored, back.counts.unchanged, back.counts.added) == (2, 50, 0)
    assert await scanner.missing() == set()
    assert len(await scanner.pages()) == 1  # what comes back as it was costs an id
    (restored,) = [event for event in await scanner.catalogue() if isinstance(event, CollectionsRestored)]
    assert len(restored.collections) == 2
    assert await replays(scanner)


async def test_what_comes_back_changed_is_recorded_and_present(scanner: Scanner, photos: Path, shelf: Shelf) -> None:
    await scanner.scan(photos)
    shelf.take(folder(7))
    await scanner.scan(photos)
    shelf.put_back(folder(7))
    put(photos, f"{folder(7)}/new.jpg")
    back = await scanned(scanner, photos)
    assert (back.counts.restored, back.counts.changed) == (1, 1)
    assert await scanner.missing() == set()
    assert (await scanner.collections())[folder(7)] == ("folder", 3)
    assert await replays(scanner)


async def test_an_image_that_is_gone_is_missing_in_its_collection_until_it_is_back(
    scanner: Scanner, photos: Path
) -> None:
    put(photos, "a/1.jpg", "a/2.jpg", "a/3.jpg")
    await scanner.scan(photos)
    (photos / "a" / "2.jpg").rename(photos.parent / "2.jpg")
    (photos / "a" / "3.jpg").write_bytes(b"changed meanwhile")
    gone = await scanned(scanner, photos)
    assert (gone.counts.absent, gone.counts.missing, gone.counts.changed) == (1, 1, 1)
    assert [image.name for images in await images_of(scanner) for image in images] == ["1.jpg", "3.jpg"]
    assert (await scanned(scanner, photos)).counts.unchanged == 1
    (photos.parent / "2.jpg").rename(photos / "a" / "2.jpg")
    back = await scanned(scanner, photos)
    assert (back.counts.changed, back.counts.images, back.counts.absent) == (1, 3, 0)
    assert [image.name for images in await images_of(scanner) for image in images] == ["1.jpg", "2.jpg", "3.jpg"]
    assert await replays(scanner)


async def test_an_archive_that_lost_an_image_says_so_once(scanner: Scanner, photos: Path) -> None:
    put_archive(photos / "x.zip", "1.jpg", "2.jpg")
    await scanner.scan(photos)
    put_archive(photos / "x.zip", "1.jpg")
    gone = await scanned(scanner, photos)
    assert (gone.counts.missing, gone.counts.images) == (1, 1)
    again = await scanned(scanner, photos)
    assert (again.counts.absent, again.counts.unchanged, again.held) == (0, 1, 0)


async def images_of(scanner: Scanner) -> list[tuple[FileEntry, ...]]:
    rows = await scanner.pool.fetch("SELECT collection_id FROM index_collections WHERE library_id = $1", LIBRARY)
    found = await scanner.index.images([row["collection_id"] for row in rows])
    return [images.entries(0, len(images)) for images in found.values()]


async def test_too_many_are_held_and_nothing_is_marked(scanner: Scanner, photos: Path, shelf: Shelf) -> None:
    await scanner.scan(photos)
    shelf.take(*map(folder, range(40)))
    held_by = await scanner.scan(photos)
    completed = await scanner.completed(held_by)
    assert (completed.held, completed.counts.absent, completed.counts.missing) == (40, 40, 0)
    assert await scanner.missing() == set()
    (hold,) = await holds(scanner)
    assert (hold.scan_id, hold.count, hold.reason) == (held_by, 40, "too_many")
    assert hold.message == "40 of 50 collections are not there; up to 5 may go unasked."
    again = await scanned(scanner, photos)
    assert (again.held, len(await holds(scanner))) == (40, 1)
    assert await replays(scanner)


async def test_approved_removals_are_marked_with_who_said_so(scanner: Scanner, photos: Path, shelf: Shelf) -> None:
    await scanner.scan(photos)
    shelf.take(*map(folder, range(40)))
    held_by = await scanner.scan(photos)
    await scanner.decide(ApproveRemovals(library_id=LIBRARY, scan_id=held_by))
    assert await scanner.missing() == set(map(folder, range(40)))
    approved = (await scanner.catalogue())[-1]
    assert isinstance(approved, RemovalsApproved)
    assert (approved.actor, approved.count, approved.held_scan_id) == ("eva", 40, held_by)
    assert (await scanned(scanner, photos)).held == 0
    shelf.put_back(*map(folder, range(40)))
    assert (await scanned(scanner, photos)).counts.restored == 40
    assert await scanner.missing() == set()
    assert await replays(scanner)


async def test_files_that_come_back_settle_the_hold(scanner: Scanner, photos: Path, shelf: Shelf) -> None:
    await scanner.scan(photos)
    shelf.take(*map(folder, range(40)))
    held_by = await scanner.scan(photos)
    shelf.put_back(*map(folder, range(20)))
    fewer = await scanner.scan(photos)
    assert [(hold.count, hold.replaces) for hold in await holds(scanner)] == [(40, None), (20, held_by)]
    shelf.put_back(*map(folder, range(20, 38)))
    last = await scanned(scanner, photos)
    assert (last.held, last.counts.missing) == (0, 2)  # so few may go
    settled = [event for event in await scanner.catalogue() if isinstance(event, HoldSettled)]
    assert [event.held_scan_id for event in settled] == [fewer]
    assert await scanner.missing() == {folder(38), folder(39)}
    assert await replays(scanner)


async def test_what_was_rejected_stays_and_is_asked_again_only_when_more_is_gone(
    scanner: Scanner, photos: Path, shelf: Shelf
) -> None:
    await scanner.scan(photos)
    shelf.take(*map(folder, range(40)))
    await scanner.decide(RejectRemovals(library_id=LIBRARY, scan_id=await scanner.scan(photos)))
    quiet = await scanned(scanner, photos)
    assert (quiet.held, quiet.counts.absent, quiet.counts.missing) == (0, 40, 0)
    shelf.put_back(*map(folder, range(30)))
    assert (await scanned(scanner, photos)).held == 0
    shelf.take(*map(folder, range(41, 46)))
    asked = await scanned(scanner, photos)
    assert asked.held == 15
    assert await scanner.missing() == set()
    shelf.put_back(*map(folder, range(30, 40)), *map(folder, range(41, 46)))
    assert (await scanned(scanner, photos)).held == 0
    assert await replays(scanner)


async def test_a_few_more_than_what_was_rejected_are_marked_alone(scanner: Scanner, photos: Path, shelf: Shelf) -> None:
    await scanner.scan(photos)
    scanner.away = "elsewhere"
    shelf.take(folder(1))
    await scanner.decide(RejectRemovals(library_id=LIBRARY, scan_id=await scanner.scan(photos)))
    scanner.away = ""
    shelf.take(folder(2))
    assert (await scanned(scanner, photos)).counts.missing == 1
    assert await scanner.missing() == {folder(2)}


async def test_an_empty_root_always_holds(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    lenient = RemovalGuard(max_removed_percent=100, max_removed=1_000, min_always=1_000)
    await scanner.scan(photos, guard=lenient)
    shutil.rmtree(photos / "a")
    assert (await scanned(scanner, photos, guard=lenient)).held == 1
    assert [hold.reason for hold in await holds(scanner)] == ["empty_root"]


async def test_another_file_system_holds_until_it_is_approved(scanner: Scanner, photos: Path, shelf: Shelf) -> None:
    await scanner.scan(photos)
    scanner.away = "another disk"
    assert (await scanned(scanner, photos)).held == 0  # all of it is there: this is where it lives now
    shelf.take(folder(1))
    scanner.away = "yet another disk"
    for _ in range(2):  # and seen twice it is no more trustworthy
        held = await scanner.scan(photos)
        assert (await scanner.completed(held)).held == 1
    (hold,) = await holds(scanner)
    assert (hold.reason, hold.file_system) == ("root_moved", "yet another disk")
    await scanner.decide(ApproveRemovals(library_id=LIBRARY, scan_id=hold.scan_id))
    shelf.take(folder(2))
    assert (await scanned(scanner, photos)).counts.missing == 1
    assert await scanner.missing() == {folder(1), folder(2)}


async def test_each_library_says_how_much_may_go(scanner: Scanner, photos: Path, shelf: Shelf) -> None:
    await scanner.scan(photos)
    shelf.take(folder(1))
    assert (await scanned(scanner, photos, guard=RemovalGuard(max_removed=0))).held == 1
    shelf.take(*map(folder, range(2, 41)))
    assert (await scanned(scanner, photos, guard=RemovalGuard(max_removed_percent=80))).counts.missing == 40


async def test_below_what_could_not_be_read_nothing_is_absent(
    scanner: Scanner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(photos, "a/1.jpg", "bad/2.jpg", "bad/deep/3.jpg", "c/4.jpg")
    put_archive(photos / "bad" / "x.zip", "1.jpg")
    put_archive(photos / "y.zip", "1.jpg")
    await scanner.scan(photos)

    def failing(root: bytes, path: bytes, *rest: object) -> Listing:
        if path == b"bad":
            raise OSError(errno.EIO, "Input/output error")
        return list_folder(root, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(walk, "list_folder", failing)
    put_broken_archive(photos / "y.zip")
    shutil.rmtree(photos / "c")
    broken = await scanned(scanner, photos)
    assert (broken.counts.errors, broken.counts.missing, broken.held) == (2, 1, 0)
    assert await scanner.missing() == {"c"}
    monkeypatch.undo()
    shutil.rmtree(photos / "bad")
    assert (await scanned(scanner, photos)).counts.missing == 3
    assert await scanner.missing() == {"bad", "bad/deep", "bad/x.zip", "c"}


async def test_a_folder_without_images_is_missing_whatever_else_in_it_can_not_be_read(
    scanner: Scanner, photos: Path
) -> None:
    put(photos, "a/1.jpg", "b/1.jpg", "b/c/1.jpg", "d/1.jpg")
    await scanner.scan(photos)
    put_broken_archive(photos / "a" / "x.zip")
    (photos / "b" / ".linstockignore").symlink_to("elsewhere")
    for folder in ("a", "b"):
        (photos / folder / "1.jpg").unlink()
    completed = await scanned(scanner, photos)
    assert (completed.counts.errors, completed.counts.missing) == (2, 2)
    assert await scanner.missing() == {"a", "b"}


async def test_a_hold_stays_for_what_a_later_scan_could_not_read(
    scanner: Scanner, photos: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scanner.scan(photos)
    shelf.take(*map(folder, range(40)))
    await scanner.scan(photos)
    shelf.put_back(*map(folder, range(40)))

    def failing(root: bytes, path: bytes, *rest: object) -> Listing:
        if path == folder(3).encode():
            raise OSError(errno.EIO, "Input/output error")
        return list_folder(root, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(walk, "list_folder", failing)
    assert (await scanned(scanner, photos)).held == 1
    monkeypatch.undo()
    assert (await scanned(scanner, photos)).held == 0
    assert [type(event) for event in (await scanner.catalogue())[-2:-1]] == [HoldSettled]


async def test_nobody_decides_about_what_is_not_held_or_not_theirs(
    scanner: Scanner, photos: Path, shelf: Shelf
) -> None:
    await scanner.scan(photos)
    shelf.take(*map(folder, range(40)))
    held_by = await scanner.scan(photos)
    approve = ApproveRemovals(library_id=LIBRARY, scan_id=held_by)
    for command, workspace in (
        (ApproveRemovals(library_id=LIBRARY, scan_id=UUID(int=1)), "default"),
        (RejectRemovals(library_id=UUID(int=1), scan_id=held_by), "default"),
        (approve, "other"),
    ):
        with pytest.raises(Refused) as refused:
            await scanner.decide(command, workspace=workspace)
        assert (refused.value.answer.status, refused.value.answer.code) == (404, "removals-not-found")
    ledger = Ledger(scanner.log, another_scan())
    await ledger.start(NOW)
    with pytest.raises(Refused) as busy:
        await scanner.decide(approve)
    assert (busy.value.answer.status, busy.value.answer.code) == (409, "scan-already-open")
    await ledger.release(NOW)
    await scanner.decide(approve)
    with pytest.raises(Refused) as twice:
        await scanner.decide(approve)
    assert twice.value.answer.status == 404


async def test_of_an_approval_and_a_scan_that_race_one_is_first(scanner: Scanner, photos: Path, shelf: Shelf) -> None:
    await scanner.scan(photos)
    shelf.take(*map(folder, range(40)))
    held_by = await scanner.scan(photos)
    context = CommandContext(command_id=UUID(int=1), workspace="default", actor="eva", at=NOW)
    plan = await scanner.planner.plan(ApproveRemovals(library_id=LIBRARY, scan_id=held_by), context)
    shelf.put_back(*map(folder, range(40)))
    await scanner.scan(photos)
    with pytest.raises(VersionConflict):
        await scanner.log.append(plan.appends, origin_of(context))
    assert await scanner.missing() == set()


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_comes_and_goes_the_index_says_what_is_known_and_what_is_there(
    scanner: Scanner, photos: Path, seed: int
) -> None:
    """Against a model: ids never change, nothing is missing that somebody did not approve or the guard let pass, and
    the log makes the same rows again."""
    chance = random.Random(seed)
    names = [f"c{number:02}" for number in range(20)]
    known: set[str] = set()
    missing: set[str] = set()
    waiting: set[str] = set()
    there: set[str] = set()
    away = photos.parent / "mounted elsewhere"
    for _ in range(14):
        match chance.choice(["add", "remove", "restore", "unmount", "approve"]):
            case "add" | "restore":
                for name in chance.sample(names, chance.randint(1, 8)):
                    put(photos, f"{name}/1.jpg")
                    there.add(name)
            case "remove":
                for name in chance.sample(sorted(there), min(len(there), chance.randint(1, 6))):
                    shutil.rmtree(photos / name)
                    there.discard(name)
            case "unmount":
                photos.rename(away)
                photos.mkdir()
                emptied = await scanned(scanner, photos)
                if absent := known - missing:
                    waiting = absent
                assert emptied.held == len(waiting)
                photos.rmdir()
                away.rename(photos)
            case "approve" if waiting:
                hold = (await CATALOGUE.load(scanner.log, LIBRARY)).state.hold
                assert hold
                await scanner.decide(ApproveRemovals(library_id=LIBRARY, scan_id=hold.scan_id))
                missing |= waiting
                waiting = set()
        present = known - missing
        absent = present - there
        completed = await scanned(scanner, photos)
        asked = bool(absent) and (not there or len(absent) > max(3, len(present) // 10))
        waiting = absent if asked else waiting if not there else set()
        missing = (missing if asked else missing | absent) - there
        known |= there
        assert completed.held == len(waiting)
        assert await scanner.missing() == missing
        assert set(await scanner.collections()) == known
        assert await scanner.proposed() == {
            row["collection_id"]
            for row in await scanner.pool.fetch(
                "SELECT collection_id FROM index_collections WHERE convert_from(path, 'UTF8') = ANY($1)", list(waiting)
            )
        }
    assert await replays(scanner)


async def test_an_attempt_that_died_while_it_proposed_changes_no_older_hold(
    scanner: Scanner, photos: Path, shelf: Shelf
) -> None:
    await scanner.scan(photos)
    shelf.take(*map(folder, range(40)))
    held_by = await scanner.scan(photos)
    before = await scanner.proposed()
    ledger = Ledger(scanner.log, another_scan())
    await ledger.start(NOW)
    await ledger.propose((UUID(int=1), *before), NOW)
    await ledger.release(NOW)
    await scanner.missing()  # catches up
    assert await scanner.proposed() == before
    await scanner.decide(ApproveRemovals(library_id=LIBRARY, scan_id=held_by))
    assert await scanner.missing() == set(map(folder, range(40)))
    assert await replays(scanner)
