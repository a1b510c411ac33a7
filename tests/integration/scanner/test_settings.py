"""What a library's settings make of a scan, and of what was recorded under other settings."""

import os
from pathlib import Path

from linstock.messages.catalogue import HoldSettled, RemovalsHeld
from linstock.messages.scan import ScanCompleted
from tests.integration.scanner.conftest import LIBRARY, Scanner
from tests.support.trees import put, put_archive, put_broken_archive


def notes(completed: ScanCompleted) -> dict[str, str]:
    return {item.code: item.message for item in completed.report if not item.path}


async def test_excluded_folders_and_files_are_not_looked_at(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "a/2.tmp.jpg", "@eaDir/a/3.jpg", "b/@eaDir/4.jpg", "only/5.tmp.jpg")
    put_broken_archive(photos / "@eaDir" / "broken.zip")
    put_archive(photos / "b" / "x.tmp.zip", "1.jpg")
    completed = await scanner.completed(await scanner.scan(photos, exclude_patterns=("@eaDir/", "*.tmp.*")))
    assert await scanner.collections() == {"a": ("folder", 1)}
    assert (completed.counts.folders, completed.counts.errors, completed.counts.excluded) == (4, 0, 0)
    assert notes(completed) == {
        "left_out": "5 folders, archives and images were left out, as the library's settings say."
    }


async def test_what_is_excluded_later_stays_recorded_and_is_counted_as_excluded(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "a/2.png", "b/3.jpg", "b/c/4.jpg")
    put_archive(photos / "b" / "x.zip", "1.jpg")
    await scanner.scan(photos)
    before = await scanner.indexed()
    completed = await scanner.completed(await scanner.scan(photos, exclude_patterns=("/b/", "*.png")))
    counts = completed.counts
    assert (counts.collections, counts.images, counts.unchanged) == (1, 1, 1)
    assert (counts.excluded, counts.absent, completed.held) == (4, 0, 0)  # three collections and an image
    assert notes(completed)["excluded"] == (
        "3 collections were recorded earlier and left out by the library's settings now; nothing was removed."
    )
    assert len(await scanner.pages()) == 1
    assert len(await scanner.indexed()) == len(before)
    back = await scanner.completed(await scanner.scan(photos))
    assert (back.counts.unchanged, back.counts.excluded) == (4, 0)


async def test_what_vanished_is_still_absent_beside_what_is_excluded(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "a/2.png", "a/3.jpg", "b/4.jpg", "c/5.jpg")
    await scanner.scan(photos)
    (photos / "a" / "3.jpg").unlink()
    (photos / "c" / "5.jpg").unlink()
    counts = (await scanner.completed(await scanner.scan(photos, exclude_patterns=("b", "*.png")))).counts
    assert (counts.absent, counts.excluded) == (2, 2)  # 3.jpg and c; 2.png and b


async def test_a_library_that_is_all_excluded_holds_nothing(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "b/2.jpg")
    await scanner.scan(photos)
    for patterns in (("*",), ("*.jpg",)):
        completed = await scanner.completed(await scanner.scan(photos, exclude_patterns=patterns))
        assert (completed.held, completed.counts.absent, completed.counts.excluded) == (0, 0, 2)
    only_png = await scanner.completed(await scanner.scan(photos, extensions=(".png",)))
    assert (only_png.held, only_png.counts.absent, only_png.counts.excluded) == (0, 0, 2)


async def test_an_empty_disk_is_held_also_when_something_is_excluded(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "b/2.jpg")
    await scanner.scan(photos)
    for folder in ("a", "b"):
        (photos / folder).rename(photos.parent / folder)
    held = await scanner.completed(await scanner.scan(photos, exclude_patterns=("b",)))
    assert (held.held, held.counts.absent, held.counts.excluded) == (1, 1, 1)


async def test_excluding_all_that_was_held_settles_nothing(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    await scanner.scan(photos)
    (photos / "a" / "1.jpg").unlink()
    await scanner.scan(photos)
    await scanner.scan(photos, exclude_patterns=("a",))
    holds = [event for event in await scanner.catalogue() if isinstance(event, RemovalsHeld | HoldSettled)]
    assert [type(event) for event in holds] == [RemovalsHeld]


async def test_extensions_apply_to_folders_and_to_what_archives_hold(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "a/2.png")
    put_archive(photos / "x.zip", "1.jpg", "2.png", "3.PNG")
    put_archive(photos / "y.cbz", "1.png")
    await scanner.scan(photos, extensions=(".png", ".zip"))
    assert await scanner.collections() == {"a": ("folder", 1), "x.zip": ("archive", 2)}


async def test_other_extensions_open_archives_again(scanner: Scanner, photos: Path) -> None:
    put_archive(photos / "x.zip", "1.jpg", "2.png")
    put_archive(photos / "y.zip", "1.jpg")
    await scanner.scan(photos, extensions=(".png", ".zip"))
    await scanner.scan(photos)
    assert await scanner.collections() == {"x.zip": ("archive", 2), "y.zip": ("archive", 1)}
    for _ in range(2):  # opened, then as remembered
        narrowed = await scanner.completed(await scanner.scan(photos, extensions=(".png", ".zip")))
        counts = narrowed.counts
        assert (counts.images, counts.unchanged, counts.excluded, counts.absent) == (1, 1, 2, 0)  # 1.jpg and y.zip
    assert (await scanner.collections())["x.zip"] == ("archive", 2)


async def test_an_image_that_left_an_archive_is_not_taken_for_one_that_is_left_out(
    scanner: Scanner, photos: Path
) -> None:
    only_jpg = (".jpg", ".zip")
    put(photos, *(f"{number}/1.jpg" for number in range(5)))
    put_archive(photos / "x.zip", "1.jpg", "2.jpg", "1.png")
    await scanner.scan(photos, extensions=only_jpg)
    put_archive(photos / "x.zip", "1.jpg", "1.png")
    for number in range(5):
        (photos / str(number)).rename(photos.parent / str(number))
    held = await scanner.completed(await scanner.scan(photos, extensions=only_jpg))
    assert (held.held, held.counts.missing) == (5, 0)  # while somebody is asked, no image is marked either
    for number in range(5):
        (photos.parent / str(number)).rename(photos / str(number))
    settled = await scanner.completed(await scanner.scan(photos, extensions=only_jpg))
    assert (settled.counts.missing, settled.counts.excluded) == (1, 0)


async def test_what_is_gone_is_gone_also_beside_images_that_are_left_out(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "a/cover.png", "b/1.jpg", "b/2.png", "c/1.jpg")
    put_archive(photos / "x.zip", "1.jpg", "2.png")
    put_archive(photos / "y.zip", "1.jpg", "2.png")
    await scanner.scan(photos, exclude_patterns=("a/cover.png",))
    for folder in ("a", "b"):
        (photos / folder / "1.jpg").unlink()
    for archive in ("x.zip", "y.zip"):
        put_archive(photos / archive, "2.png")
    without_png = (".jpg", ".zip")
    counts = (await scanner.completed(await scanner.scan(photos, extensions=without_png))).counts
    assert await scanner.missing() == {"a"}  # of which no image is there that was ever recorded
    assert (counts.missing, counts.excluded) == (4, 3)
    again = (await scanner.completed(await scanner.scan(photos, extensions=without_png))).counts
    assert (again.missing, again.absent, again.excluded) == (0, 0, 3)
    every = (await scanner.completed(await scanner.scan(photos))).counts
    assert (every.restored, every.images, every.missing) == (1, 5, 1)  # a/1.jpg is still gone


def spoil(archive: Path) -> None:
    """The same size and time, and broken if anybody looks."""
    status = archive.stat()
    archive.write_bytes(b"x" * status.st_size)
    os.utime(archive, ns=(status.st_mtime_ns, status.st_mtime_ns))


async def test_a_deep_scan_opens_archives_that_look_unchanged(scanner: Scanner, photos: Path) -> None:
    put_archive(photos / "x.zip", "1.jpg")
    await scanner.scan(photos)
    spoil(photos / "x.zip")
    assert (await scanner.completed(await scanner.scan(photos))).counts.errors == 0
    deep = await scanner.completed(await scanner.scan(photos, scan_mode="deep"))
    assert [(item.code, item.path) for item in deep.report] == [("broken_archive", "x.zip")]
    assert (deep.counts.errors, deep.counts.absent) == (1, 1)


async def test_an_archive_without_images_is_not_opened_again(scanner: Scanner, photos: Path) -> None:
    put_archive(photos / "texts.zip", "readme.txt")
    await scanner.scan(photos)
    spoil(photos / "texts.zip")
    assert (await scanner.completed(await scanner.scan(photos))).counts.errors == 0
    put_archive(photos / "texts.zip", "readme.txt", "1.jpg")
    assert (await scanner.completed(await scanner.scan(photos))).counts.added == 1


async def test_an_archive_that_was_opened_but_not_recorded_is_opened_again(scanner: Scanner, photos: Path) -> None:
    put_archive(photos / "x.zip", "1.jpg")
    await scanner.scan(photos)
    # As if the page had never been appended.
    await scanner.pool.execute("DELETE FROM index_collections; DELETE FROM index_folders")
    again = await scanner.completed(await scanner.scan(photos))
    assert (again.counts.collections, again.counts.added) == (1, 1)
    await scanner.pool.execute("TRUNCATE opened_archives")
    await scanner.index.rebuild(scanner.log, LIBRARY)
    assert (await scanner.completed(await scanner.scan(photos))).counts.unchanged == 1
