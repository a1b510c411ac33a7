"""Images that go from one collection to another, one by one, are moved and not missing."""

import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from linstock.messages.catalogue import PurgeMissing
from linstock.messages.library import RemovalGuard
from services.projection.views.files import HeldFile
from tests.integration.scanner.conftest import LIBRARY, Scanner
from tests.integration.scanner.test_moves import ids
from tests.integration.scanner.test_purge import purge
from tests.integration.scanner.test_undo import folded, indexed, shown, undo

LATIN = os.fsdecode(b"caf\xe9.jpg")


def furnish(photos: Path) -> None:
    """Images that can be told apart by their sizes."""
    for at, path in enumerate(("Rome/1.jpg", "Rome/2.jpg", f"Rome/{LATIN}", "Oslo/1.jpg", "Oslo/3.jpg", "Lima/1.jpg")):
        (photos / path).parent.mkdir(exist_ok=True)
        (photos / path).write_bytes(b"x" * (100 + at))


async def held(scanner: Scanner, path: str) -> dict[bytes, HeldFile]:
    """The images of a collection that is there."""
    rows, collection = (await folded(scanner)).rows, (await ids(scanner))[path]
    chunks: list[Any] = [row for row in rows["files"].values() if row.collection_id == collection]
    files = [file for chunk in chunks for file in msgspec.json.decode(chunk.files, type=list[HeldFile])]
    return {file.name.encode() if file.name_bytes is None else file.name_bytes: file for file in files}


@pytest.mark.parametrize("mode", ["changed", "quick"])
async def test_they_are_found_where_they_went(scanner: Scanner, photos: Path, mode: str) -> None:
    furnish(photos)
    await scanner.scan(photos)
    before = await ids(scanner)
    (photos / "Rome/1.jpg").rename(photos / "Oslo/one.jpg")  # its name is taken there
    (photos / f"Rome/{LATIN}").rename(photos / f"Lima/{LATIN}")
    (photos / "Oslo/3.jpg").rename(photos / "Oslo/4.jpg")
    counts = (await scanner.completed(await scanner.scan(photos, scan_mode=mode))).counts
    assert (counts.moved_images, counts.missing, counts.absent, counts.changed) == (3, 0, 0, 2)
    assert set(await held(scanner, "Rome")) == {b"2.jpg"}
    there = {**await held(scanner, "Oslo"), **await held(scanner, "Lima")}
    came = {name: file.moved_from for name, file in there.items() if file.moved_from}
    assert {name: (origin.collection_id, origin.name) for name, origin in came.items()} == {
        b"one.jpg": (before["Rome"], "1.jpg"),
        b"caf\xe9.jpg": (before["Rome"], "caf�.jpg"),
        b"4.jpg": (before["Oslo"], "3.jpg"),
    }
    again = (await scanner.completed(await scanner.scan(photos))).counts
    assert (again.unchanged, again.changed, again.absent, again.moved_images) == (3, 0, 0, 0)


async def test_a_folder_all_of_which_went_elsewhere_needs_nobodys_word(scanner: Scanner, photos: Path) -> None:
    nobody_may = RemovalGuard(max_removed_percent=0, max_removed=0, min_always=0)
    furnish(photos)
    await scanner.scan(photos, guard=nobody_may)
    for name in ("1.jpg", "2.jpg", LATIN):
        (photos / f"Rome/{name}").rename(photos / f"Lima/from-rome-{name}")
    (photos / "Rome").rmdir()
    scan = await scanner.completed(await scanner.scan(photos, guard=nobody_may))
    assert (scan.held, scan.counts.moved_images, scan.counts.missing, scan.counts.absent) == (0, 3, 1, 1)
    assert await scanner.missing() == {"Rome"}
    shutil.rmtree(photos / "Oslo")
    assert (await scanner.completed(await scanner.scan(photos, guard=nobody_may))).held == 1


async def test_what_looks_alike_is_told_apart_by_its_name_or_not_at_all(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    for name in ("a", "b"):
        (photos / f"Rome/{name}.jpg").write_bytes(b"same")
        os.utime(photos / f"Rome/{name}.jpg", ns=(7, 7))
    (photos / "Rome/empty.jpg").touch()
    await scanner.scan(photos)
    (photos / "Rome/a.jpg").rename(photos / "Oslo/a.jpg")
    (photos / "Rome/b.jpg").rename(photos / "Oslo/c.jpg")
    (photos / "Rome/empty.jpg").rename(photos / "Oslo/empty.jpg")
    shutil.copy2(photos / "Rome/1.jpg", photos / "Oslo/copy.jpg")  # its original is still there
    counts = (await scanner.completed(await scanner.scan(photos))).counts
    assert (counts.moved_images, counts.missing) == (1, 2)


async def test_an_undo_puts_them_back(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    before = await shown(scanner), await indexed(scanner)
    (photos / "Rome/1.jpg").rename(photos / "Oslo/one.jpg")
    (photos / "Lima/1.jpg").rename(photos / "Oslo/two.jpg")
    (photos / "Rome/2.jpg").unlink()
    scan_id = await scanner.scan(photos)
    after = await indexed(scanner)
    await undo(scanner, scan_id)
    assert (await shown(scanner), await indexed(scanner)) == before
    await scanner.scan(photos)
    assert await indexed(scanner) == after


async def test_what_went_is_not_purged_later_and_does_not_come_back(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    (photos / "Rome/1.jpg").rename(photos / "Oslo/one.jpg")
    await scanner.scan(photos)
    told = await purge(scanner, PurgeMissing(library_id=LIBRARY))
    assert (told.collections, told.images) == (0, 0)
    (photos / "Oslo/one.jpg").write_bytes(b"others")
    await scanner.scan(photos)
    assert (await held(scanner, "Oslo"))[b"one.jpg"].moved_from  # that it came from there stays true
