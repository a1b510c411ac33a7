"""What a .linstockignore makes of a scan, and of what was recorded before it was there."""

from pathlib import Path

import pytest

from tests.integration.scanner.conftest import Scanner
from tests.support.trees import put

IGNORE = ".linstockignore"


@pytest.mark.parametrize("mode", ["quick", "changed", "deep"])
async def test_what_is_ignored_later_stays_recorded_and_is_neither_absent_nor_missing(
    scanner: Scanner, photos: Path, mode: str
) -> None:
    put(photos, "a/1.jpg", "a/2.png", "old/3.jpg", "old/deep/4.jpg")
    await scanner.scan(photos)
    (photos / IGNORE).write_text("old/\n*.png\n")
    put(photos, "new/5.jpg")
    completed = await scanner.completed(await scanner.scan(photos, scan_mode=mode))
    counts = completed.counts
    assert (counts.collections, counts.added, counts.absent, completed.held) == (2, 1, 0, 0)
    assert counts.excluded == 3  # two collections and an image
    # And in place, which the folder's own time does not show.
    (photos / IGNORE).write_text("*.png\n")
    completed = await scanner.completed(await scanner.scan(photos, scan_mode=mode))
    assert (completed.counts.collections, completed.counts.excluded, completed.counts.absent) == (4, 1, 0)


async def test_a_library_that_is_ignored_as_a_whole_holds_nothing(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "b/2.jpg")
    await scanner.scan(photos)
    (photos / IGNORE).write_text("*\n")
    completed = await scanner.completed(await scanner.scan(photos))
    assert (completed.counts.absent, completed.counts.excluded, completed.held) == (0, 2, 0)


async def test_a_part_heeds_what_lies_above_it(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "a/b/2.jpg", "c/3.jpg")
    await scanner.scan(photos)
    (photos / IGNORE).write_text("b/\n")
    completed = await scanner.completed(await scanner.scan(photos, paths=[b"a"]))
    assert (completed.counts.collections, completed.counts.excluded, completed.counts.absent) == (1, 1, 0)


async def test_a_file_that_does_not_count_is_in_the_report(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    (photos / "a" / IGNORE).write_text("*\n" * 1001)
    completed = await scanner.completed(await scanner.scan(photos))
    assert (completed.counts.collections, completed.counts.errors) == (1, 1)
    [item] = completed.report
    assert (item.code, item.path) == ("bad_ignore_file", f"a/{IGNORE}")
