"""Whole scans of real trees, read back from the log."""

import os
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from linstock.messages.catalogue import HoldSettled, RemovalsHeld, RemovalsProposed
from linstock.messages.scan import Counts
from services.scanner.diff import Known
from services.scanner.identity import Kinship
from services.scanner.images import Images
from services.scanner.opened import Opened
from services.scanner.scope import Scope
from services.scanner.survey import survey
from services.scanner.tally import Tally
from services.scanner.task import Task
from tests.integration.scanner.conftest import LIBRARY, Scanner
from tests.support.processes import as_unprivileged
from tests.support.trees import put, put_archive, put_broken_archive, put_many

SCRIPTS = ("summer", "лето", "夏休み", "صيف", "καλοκαίρι")


async def test_folders_with_direct_images_and_archives_are_collections(scanner: Scanner, photos: Path) -> None:
    put(photos, "root.JPG", "a/1.jpg", "a/2.PNG", "a/deep/er/3.webp", *(f"{name}/x.jpg" for name in SCRIPTS))
    put_archive(photos / "a" / "comic.CBZ", "1.png", "2.png", "info.xml")
    put_archive(photos / "no-images.zip", "readme.txt")
    (photos / "a" / "notes.txt").write_text("x")
    completed = await scanner.completed(await scanner.scan(photos))
    assert await scanner.collections() == {
        "": ("folder", 1),
        "a": ("folder", 2),
        "a/comic.CBZ": ("archive", 2),
        "a/deep/er": ("folder", 1),
        **dict.fromkeys(SCRIPTS, ("folder", 1)),
    }
    size = sum(path.stat().st_size for path in photos.rglob("*") if path.suffix.lower() in (".jpg", ".png", ".webp"))
    assert completed.counts == Counts(
        collections=9,
        images=11,
        size_bytes=size + (photos / "a" / "comic.CBZ").stat().st_size,
        folders=9,
        files=12,
        added=9,
    )
    assert (completed.held, completed.report) == (0, ())
    assert await scanner.kinds() == ["ScanStarted", "CollectionsRecorded", "CatalogueReleased"]


async def test_an_unchanged_rescan_records_no_page(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "b/2.jpg")
    put_archive(photos / "c.zip", "3.jpg")
    await scanner.scan(photos)
    again = await scanner.completed(await scanner.scan(photos))
    assert len(await scanner.pages()) == 1
    assert (again.counts.unchanged, again.counts.added, again.counts.changed, again.counts.images) == (3, 0, 0, 3)


async def test_an_unchanged_archive_is_not_opened_again(scanner: Scanner, photos: Path) -> None:
    archive = photos / "c.zip"
    put_archive(archive, "3.jpg")
    await scanner.scan(photos)
    status = archive.stat()
    archive.write_bytes(b"x" * status.st_size)  # it would be broken, if anybody looked
    os.utime(archive, ns=(status.st_mtime_ns, status.st_mtime_ns))
    again = await scanner.completed(await scanner.scan(photos))
    assert (again.counts.unchanged, again.counts.errors) == (1, 0)


async def test_one_changed_file_is_one_small_page(scanner: Scanner, photos: Path) -> None:
    put_many(photos, folders=20, images=50)
    await scanner.scan(photos)
    (photos / "folder-00003" / "image-00007.jpg").write_bytes(b"changed")
    again = await scanner.completed(await scanner.scan(photos))
    (page,) = (await scanner.pages())[1:]
    assert [entry.path for entry in page.collections] == ["folder-00003"]
    assert [file.name for share in page.files for file in share.files] == ["image-00007.jpg"]
    assert (again.counts.changed, again.counts.unchanged, again.counts.added) == (1, 19, 0)


async def test_what_vanished_is_counted_once_and_marked_missing(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "a/2.jpg", "b/3.jpg")
    await scanner.scan(photos)
    (photos / "a" / "2.jpg").unlink()
    (photos / "b" / "3.jpg").unlink()
    for absent in (2, 0):
        again = await scanner.completed(await scanner.scan(photos))
        assert (again.counts.absent, again.counts.missing) == (absent, absent)
        assert (again.counts.unchanged, again.held) == (1, 0)
    assert len(await scanner.pages()) == 1
    assert (await scanner.kinds()).count("CollectionsMarkedMissing") == 2  # a page of collections, one of images


async def test_an_emptied_root_holds_the_removals_and_does_nothing_else(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "b/2.jpg")
    first = await scanner.scan(photos)
    (photos / "a").rename(photos.parent / "away-a")
    (photos / "b").rename(photos.parent / "away-b")
    held_by = await scanner.scan(photos)
    completed = await scanner.completed(held_by)
    assert (completed.held, completed.counts.absent) == (2, 2)
    *_, proposed, held, _ = await scanner.catalogue()
    assert isinstance(proposed, RemovalsProposed)
    assert isinstance(held, RemovalsHeld)
    assert len(proposed.collections) == 2
    assert (held.scan_id, held.count, held.reason) == (held_by, 2, "empty_root")
    expected = ["ScanStarted", "CollectionsRecorded", "CatalogueReleased"]
    expected += ["ScanStarted", "RemovalsProposed", "RemovalsHeld", "CatalogueReleased"]
    assert await scanner.kinds() == expected
    assert (await scanner.completed(first)).held == 0


async def test_an_empty_root_scanned_again_says_so_and_holds_once(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    await scanner.scan(photos)
    (photos / "a" / "1.jpg").unlink()
    for _ in range(2):
        assert (await scanner.completed(await scanner.scan(photos))).held == 1
    holds = [event for event in await scanner.catalogue() if isinstance(event, RemovalsHeld)]
    assert [hold.reason for hold in holds] == ["no_collections"]


async def test_a_later_scan_that_finds_content_settles_the_hold(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    await scanner.scan(photos)
    (photos / "a").rename(photos.parent / "away")
    held_by = await scanner.scan(photos)
    (photos.parent / "away").rename(photos / "a")
    back = await scanner.scan(photos)
    settled = [event for event in await scanner.catalogue() if isinstance(event, HoldSettled)]
    assert [(event.scan_id, event.held_scan_id) for event in settled] == [(back, held_by)]
    assert (await scanner.completed(back)).counts.unchanged == 1


async def test_an_empty_library_that_never_had_anything_holds_nothing(scanner: Scanner, photos: Path) -> None:
    assert (await scanner.completed(await scanner.scan(photos))).held == 0
    assert await scanner.kinds() == ["ScanStarted", "CatalogueReleased"]


async def test_a_missing_root_fails_for_good_and_says_so(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    await scanner.scan(photos)
    photos.rename(photos.parent / "elsewhere")
    failed = await scanner.failed(await scanner.scan(photos))
    assert (failed.code, failed.final) == ("root_missing", True)
    assert failed.message == f"The library's folder {photos} does not exist."
    assert (await scanner.kinds())[-2:] == ["ScanStarted", "CatalogueReleased"]


async def test_a_file_as_root_fails_for_good(scanner: Scanner, photos: Path) -> None:
    put(photos, "a.jpg")
    failed = await scanner.failed(await scanner.scan(photos / "a.jpg"))
    assert (failed.code, failed.final) == ("root_not_a_directory", True)


async def test_troubles_are_reported_and_the_scan_goes_on(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    put_broken_archive(photos / "broken.zip")
    (photos / "a" / "loop").symlink_to(photos)
    (photos / "a" / "link.jpg").symlink_to(photos / "a" / "1.jpg")
    completed = await scanner.completed(await scanner.scan(photos))
    assert [(item.code, item.path) for item in completed.report] == [
        ("symlinks_skipped", ""),
        ("broken_archive", "broken.zip"),
    ]
    assert completed.report[0].message == "2 symbolic links were not followed."
    assert (completed.counts.errors, completed.counts.collections) == (1, 1)


async def test_names_of_any_bytes_come_back_as_they_were(scanner: Scanner, photos: Path) -> None:
    folder = os.fsencode(photos) + b"/caf\xe9"
    os.mkdir(folder)  # noqa: PTH102 -- Path takes no bytes
    long = ("я" * 125 + "x.jpg").encode()
    for name in (b"\xfe\xff.jpg", long):
        with open(folder + b"/" + name, "wb"):  # noqa: PTH123
            pass
    await scanner.scan(photos)
    (page,) = await scanner.pages()
    assert (page.collections[0].path, page.collections[0].path_bytes) == ("caf\N{REPLACEMENT CHARACTER}", b"caf\xe9")
    files = {file.name_bytes or file.name.encode() for share in page.files for file in share.files}
    assert files == {b"\xfe\xff.jpg", long}
    assert (await scanner.completed(await scanner.scan(photos))).counts.unchanged == 1


async def test_without_subfolders_only_the_root_is_looked_at_and_missed(scanner: Scanner, photos: Path) -> None:
    put(photos, "1.jpg", "a/2.jpg", "b/c/3.jpg")
    put_archive(photos / "x.zip", "1.jpg")
    put_archive(photos / "a" / "y.zip", "1.jpg")
    await scanner.scan(photos)
    flat = await scanner.completed(await scanner.scan(photos, include_subfolders=False))
    assert (flat.counts.collections, flat.counts.unchanged, flat.counts.absent, flat.held) == (2, 2, 0, 0)
    assert flat.counts.excluded == 3


async def test_twenty_thousand_entries(scanner: Scanner, photos: Path) -> None:
    put_many(photos, folders=1, images=15_000)
    put_many(photos / "more", folders=50, images=100)
    completed = await scanner.completed(await scanner.scan(photos))
    assert (completed.counts.images, completed.counts.collections) == (20_000, 51)
    made = await scanner.pages()
    assert len(made) > 1
    assert all(len(recorded.data) <= 512 * 1024 for recorded in await scanner.log.load(LIBRARY))
    assert sum(page.added for page in made) == 51
    names = {(share.collection_id, file.name) for page in made for share in page.files for file in share.files}
    assert len(names) == 20_000
    assert (await scanner.completed(await scanner.scan(photos))).counts.unchanged == 51
    assert len(await scanner.pages()) == len(made)


async def test_the_index_made_again_from_the_log_equals_the_live_one(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "a/2.jpg", "b/3.jpg")
    put_archive(photos / "c.zip", "1.jpg")
    await scanner.scan(photos)
    (photos / "a" / "1.jpg").write_bytes(b"changed")
    put(photos, "a/4.jpg", "d/5.jpg")
    await scanner.scan(photos)
    live = await scanner.indexed()
    assert len(live) == 4
    await scanner.index.rebuild(scanner.log, LIBRARY)
    assert await scanner.indexed() == live


async def test_a_lost_index_is_made_again_when_a_scan_starts(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "b/2.jpg")
    await scanner.scan(photos)
    await scanner.pool.execute("TRUNCATE index_libraries, index_collections, index_images")
    again = await scanner.completed(await scanner.scan(photos))
    assert (again.counts.unchanged, again.counts.added) == (2, 0)


async def test_an_index_row_per_page_is_folded_into_one(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    for size in range(70):
        (photos / "a" / "1.jpg").write_bytes(b"x" * size)
        await scanner.scan(photos)
    assert await scanner.pool.fetchval("SELECT count(*) FROM index_images") < 70
    live = await scanner.indexed()
    await scanner.index.rebuild(scanner.log, LIBRARY)
    assert await scanner.indexed() == live
    assert (await scanner.completed(await scanner.scan(photos))).counts.unchanged == 1


async def test_what_can_not_be_read_is_reported_to_somebody_without_privileges(photos: Path) -> None:
    put(photos, "closed/1.jpg", "open/2.jpg")
    put_archive(photos / "closed.zip", "1.jpg")
    (photos / "closed").chmod(0)

    def look() -> tuple[list[tuple[str, str]], int]:
        tally = Tally()
        task = Task(library_id=LIBRARY, root=os.fsencode(photos), scope=Scope())
        list(survey(task, _NothingKnown(), tally, lambda: False))
        return [(item.code, item.path) for item in tally.troubles.items([])], tally.collections

    (photos / "closed.zip").chmod(0)
    found = as_unprivileged(look, owner_of=photos)
    assert found == ([("unreadable", "closed"), ("unreadable", "closed.zip")], 1)


class _NothingKnown:
    def known(self, collection_ids: Sequence[UUID]) -> dict[UUID, Known]:
        return {}

    def images(self, collection_ids: Sequence[UUID]) -> dict[UUID, Images]:
        raise AssertionError("nothing is known")

    def kinship(
        self, places: Sequence[UUID], *, digests: Sequence[str], archives: Sequence[tuple[int, int]]
    ) -> Kinship:
        return Kinship()

    def opened(self, collection_ids: Sequence[UUID]) -> dict[UUID, Opened]:
        return {}

    def remember(self, opened: dict[UUID, Opened]) -> None:
        return
