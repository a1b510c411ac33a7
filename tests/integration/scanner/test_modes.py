"""What a scan of each mode looks at, and that a folder's row is never trusted beyond what was recorded."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from PIL import Image

from linstock.messages.scan import Counts
from services.scanner import expedition, listing
from services.scanner.diff import Known
from services.scanner.folders import Folders, id_of
from services.scanner.remembered import FolderRow
from services.scanner.removals import Removals
from tests.integration.scanner.conftest import LIBRARY, Scanner
from tests.support.trees import put, put_archive, put_broken_archive, put_many

ROW = msgspec.msgpack.Decoder(FolderRow)


async def rows(scanner: Scanner) -> dict[bytes, FolderRow]:
    found = await scanner.pool.fetch("SELECT path, folder FROM index_folders WHERE library_id = $1", LIBRARY)
    return {row["path"]: ROW.decode(row["folder"]) for row in found}


async def counts(scanner: Scanner, root: Path, mode: str, **settings: Any) -> Counts:
    return (await scanner.completed(await scanner.scan(root, scan_mode=mode, **settings))).counts


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders that were made just now count as made long ago; what is about that very moment says so itself."""
    monkeypatch.setattr(listing, "SURE_AFTER_NS", -1)


@pytest.fixture
def looked_into(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The folders that a walk listed."""
    listed: list[bytes] = []
    real = listing.list_folder

    def list_folder(root: bytes, path: bytes, *rest: object) -> listing.Listing:
        listed.append(path)
        return real(root, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("services.scanner.walk.list_folder", list_folder)
    return listed


async def test_a_quick_scan_of_an_unchanged_library_lists_nothing_and_counts_everything(
    scanner: Scanner, photos: Path, looked_into: list[bytes]
) -> None:
    put(photos, "1.jpg", "a/2.jpg", "a/b/3.jpg", "a/b/4.jpg", "лето/夏/5.jpg")
    put_archive(photos / "c" / "x.cbz", "1.jpg", "2.jpg")
    (photos / "c" / "link").symlink_to(photos)
    os.mkdir(os.fsencode(photos) + b"/caf\xe9")  # noqa: PTH102 - Path takes no bytes
    first = await counts(scanner, photos, "quick")
    assert len(looked_into) == 7
    looked_into.clear()
    again = await scanner.completed(await scanner.scan(photos, scan_mode="quick"))
    assert looked_into == []
    assert again.counts == msgspec.structs.replace(first, added=0, unchanged=first.added)
    assert (first.added, first.images, first.folders) == (5, 7, 7)
    assert [item.code for item in again.report] == ["symlinks_skipped"]
    assert len(await scanner.pages()) == 1


async def test_a_quick_scan_lists_only_folders_that_were_changed_and_new_ones(
    scanner: Scanner, photos: Path, looked_into: list[bytes]
) -> None:
    put(photos, "a/1.jpg", "b/2.jpg", "b/c/3.jpg", "d/4.jpg")
    await scanner.scan(photos)
    looked_into.clear()
    put(photos, "b/c/new/deep/5.jpg", "d/6.jpg")
    (photos / "a" / "1.jpg").write_bytes(b"edited in place")
    again = await counts(scanner, photos, "quick")
    assert looked_into == [b"b/c", b"b/c/new", b"b/c/new/deep", b"d"]
    assert (again.added, again.changed, again.unchanged) == (1, 1, 3)
    # What was written into without a trace on its folder, the next thorough look finds.
    assert (await counts(scanner, photos, "changed")).changed == 1


async def test_an_unchanged_library_writes_nothing_in_any_mode(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "b/2.jpg")
    put_archive(photos / "c.zip", "1.jpg")
    await scanner.scan(photos)

    async def written() -> list[object]:
        return [tuple(row) for row in await scanner.pool.fetch("SELECT path, xmin::text FROM index_folders ORDER BY 1")]

    before = await written()
    assert len(before) == 3
    for mode in ("quick", "changed", "deep"):
        assert (await counts(scanner, photos, mode)).unchanged == 3
    assert await written() == before


async def test_an_unchanged_folder_costs_no_look_at_what_was_recorded(
    scanner: Scanner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_many(photos, folders=5, images=3)
    put_archive(photos / "folder-00001" / "x.zip", "1.jpg")
    await scanner.scan(photos)
    asked: list[object] = []
    real = expedition.Expedition.known

    def known(walk: expedition.Expedition, ids: Sequence[UUID]) -> dict[UUID, Known]:
        asked.extend(ids)
        return real(walk, ids)

    monkeypatch.setattr(expedition.Expedition, "known", known)
    assert (await counts(scanner, photos, "changed")).unchanged == 6
    assert asked == []
    (photos / "folder-00003" / "image-00000.jpg").write_bytes(b"x")
    assert (await counts(scanner, photos, "changed")).changed == 1
    assert asked == [id_of(LIBRARY, b"folder-00003")]


async def test_a_folder_that_was_changed_just_before_the_look_is_looked_at_again(
    scanner: Scanner, photos: Path, monkeypatch: pytest.MonkeyPatch, looked_into: list[bytes]
) -> None:
    monkeypatch.setattr(listing, "SURE_AFTER_NS", 3600 * 10**9)
    put(photos, "a/1.jpg")
    await scanner.scan(photos)
    assert [row.stamp for row in (await rows(scanner)).values()] == [listing.UNSURE] * 2
    status = (photos / "a").stat()
    put(photos, "a/2.jpg")
    os.utime(photos / "a", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (await counts(scanner, photos, "quick")).changed == 1
    # Once it has been left alone for a while, it is trusted.
    monkeypatch.setattr(listing, "SURE_AFTER_NS", -1)
    await scanner.scan(photos, scan_mode="quick")
    looked_into.clear()
    await scanner.scan(photos, scan_mode="quick")
    assert looked_into == []


@pytest.mark.parametrize("lie_ns", [0, 1, 4_102_444_800 * 10**9], ids=["same", "1970", "2100"])
async def test_a_folder_whose_time_was_set_back_is_noticed(scanner: Scanner, photos: Path, lie_ns: int) -> None:
    put(photos, "a/1.jpg")
    before = lie_ns or (photos / "a").stat().st_mtime_ns
    os.utime(photos / "a", ns=(before, before))
    await scanner.scan(photos)
    put(photos, "a/2.jpg")
    os.utime(photos / "a", ns=(before, before))
    assert (await counts(scanner, photos, "quick")).changed == 1


async def test_folders_that_vanish_lose_their_rows_and_are_found_again_when_they_come_back(
    scanner: Scanner, photos: Path
) -> None:
    put(photos, "a/1.jpg", "a/deep/2.jpg", "b/3.jpg")
    await scanner.scan(photos)
    (photos / "a").rename(photos.parent / "away")
    gone = await counts(scanner, photos, "quick")
    assert (gone.absent, gone.unchanged) == (2, 1)
    assert set(await rows(scanner)) == {b"", b"b"}
    (photos.parent / "away").rename(photos / "a")
    back = await counts(scanner, photos, "quick")
    assert (back.absent, back.unchanged, back.added) == (0, 3, 0)


async def test_whatever_is_odd_about_a_folder_keeps_it_from_being_trusted(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "b/3.jpg")
    put_broken_archive(photos / "b" / "broken.zip")
    await scanner.scan(photos)
    for mode in ("changed", "quick", "quick", "deep", "changed"):
        seen = await counts(scanner, photos, mode)
        assert (seen.errors, seen.unchanged) == (1, 2), mode
    assert set(await rows(scanner)) == {b"", b"a"}


async def test_what_is_missing_and_comes_back_is_restored_before_its_folder_is_trusted(
    scanner: Scanner, photos: Path, monkeypatch: pytest.MonkeyPatch, looked_into: list[bytes]
) -> None:
    put(photos, "a/1.jpg", "a/2.jpg", "b/3.jpg")
    put_archive(photos / "a" / "x.zip", "1.jpg")
    await scanner.scan(photos)
    (photos / "a").rename(photos.parent / "away")
    assert (await counts(scanner, photos, "quick")).missing == 2
    (photos.parent / "away").rename(photos / "a")

    async def killed(*_: object) -> None:
        raise ConnectionError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(Removals, "conclude", killed)
        await scanner.failed(await scanner.scan(photos, scan_mode="quick"))
    assert (await counts(scanner, photos, "quick")).restored == 2
    # One image is missing: its folder is what it is, and remembered as that.
    (photos / "a" / "2.jpg").unlink()
    assert (await counts(scanner, photos, "quick")).missing == 1
    await counts(scanner, photos, "quick")
    looked_into.clear()
    assert (await counts(scanner, photos, "quick")).images == 3
    assert looked_into == []


async def test_rows_hold_only_under_the_settings_that_they_were_made_under(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "a/2.png", "skip/3.jpg")
    await scanner.scan(photos, scan_mode="quick")
    narrow = {"exclude_patterns": ("skip/",), "extensions": (".jpg",)}
    seen = await counts(scanner, photos, "quick", **narrow)
    assert (seen.images, seen.excluded) == (1, 2)
    again = await counts(scanner, photos, "quick", **narrow)
    assert (again.images, again.excluded) == (1, 2)
    assert (await counts(scanner, photos, "quick")).images == 3


async def test_another_root_has_rows_of_its_own(scanner: Scanner, photos: Path, tmp_path: Path) -> None:
    put(photos, "a/1.jpg")
    await scanner.scan(photos)
    elsewhere = tmp_path / "elsewhere"
    put(elsewhere, "a/1.jpg", "a/2.jpg")
    for folder in ("", "a"):
        status = (photos / folder).stat()
        os.utime(elsewhere / folder, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (await counts(scanner, elsewhere, "quick")).images == 2


async def test_without_rows_a_quick_scan_looks_at_everything(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "b/2.jpg")
    await scanner.scan(photos)
    (photos / "a" / "1.jpg").write_bytes(b"edited in place")
    await scanner.pool.execute("TRUNCATE index_folders")
    assert (await counts(scanner, photos, "quick")).changed == 1
    assert len(await rows(scanner)) == 3


async def test_a_page_that_the_index_learns_of_takes_its_folders_rows_with_it(
    scanner: Scanner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended between page and rows, with the disk set back to what it was before: the rows of then must not count."""
    put(photos, "a/1.jpg", "b/2.jpg")
    put_archive(photos / "c" / "x.zip", "1.jpg")
    await scanner.scan(photos)
    older = {path: (photos / path).read_bytes() for path in ("a/1.jpg", "c/x.zip")}
    times = {path: (photos / path).stat() for path in older}
    (photos / "a" / "1.jpg").write_bytes(b"edited")
    put_archive(photos / "c" / "x.zip", "1.jpg", "2.jpg")

    async def killed(*_: object, **__: object) -> bool:
        raise ConnectionError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(Folders, "keep", killed)
        await scanner.failed(await scanner.scan(photos))
    assert set(await rows(scanner)) == {b"", b"b"}
    for path, content in older.items():
        (photos / path).write_bytes(content)
        os.utime(photos / path, ns=(times[path].st_atime_ns, times[path].st_mtime_ns))
    again = await counts(scanner, photos, "changed")
    assert (again.changed, again.unchanged) == (2, 1)


async def test_rows_are_written_only_after_the_pages_of_their_folders(
    scanner: Scanner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended at any page: whatever has a row by then is recorded."""
    put_many(photos, folders=30, images=400)
    real, pages_recorded = expedition.Expedition._record, 0

    async def die_at_the_third(walk: expedition.Expedition, *given: object) -> None:
        nonlocal pages_recorded
        pages_recorded += 1
        if pages_recorded == 3:
            raise ConnectionError("gone")
        await real(walk, *given)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(expedition.Expedition, "_record", die_at_the_third)
        patched.setattr("services.scanner.survey.BATCH_COLLECTIONS", 4)
        patched.setattr("services.scanner.expedition.pages", _small_pages)
        await scanner.failed(await scanner.scan(photos))
    recorded = await scanner.collections()
    remembered = {os.fsdecode(path) for path in await rows(scanner)} - {""}
    assert remembered
    assert remembered <= set(recorded)
    again = await counts(scanner, photos, "quick")
    assert (again.images, again.added + again.changed + again.unchanged) == (12_000, 30)
    assert len(await scanner.collections()) == 30


async def test_a_writer_that_lost_the_catalogue_keeps_no_rows(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    await scanner.scan(photos)
    kept = await rows(scanner)
    version = await scanner.index.version(LIBRARY)
    stale = [msgspec.structs.replace(kept[b"a"], digest=b"older")]
    assert not await scanner.index.folders.keep(LIBRARY, "look", version=version - 1, rows=stale, gone=[b""])
    assert await rows(scanner) == kept


async def test_a_deep_scan_is_quick_about_nothing(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    put_archive(photos / "b" / "x.zip", "1.jpg")
    await scanner.scan(photos)
    status = (photos / "b" / "x.zip").stat()
    (photos / "b" / "x.zip").write_bytes(b"x" * status.st_size)
    os.utime(photos / "b" / "x.zip", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (await counts(scanner, photos, "changed")).errors == 0
    deep = await counts(scanner, photos, "deep")
    assert (deep.errors, deep.absent) == (1, 1)


async def test_a_quick_scan_of_a_library_whose_root_is_away_fails_for_good(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    await scanner.scan(photos)
    photos.rename(photos.parent / "away")
    assert (await scanner.failed(await scanner.scan(photos, scan_mode="quick"))).code == "root_missing"
    photos.mkdir()
    assert (await scanner.completed(await scanner.scan(photos, scan_mode="quick"))).held == 1


def _small_pages(changes: object, **_: object) -> object:
    from services.scanner.pages import pages

    return pages(changes, limit_bytes=64 * 1024)  # type: ignore[arg-type]


async def test_a_deep_scan_reads_every_images_header_and_reports_broken_ones(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/good.jpg", "a/good.png", "a/good.gif")
    for suffix in ("webp", "avif", "bmp"):
        Image.new("RGB", (9, 9)).save(photos / "a" / f"good.{suffix}")
    (photos / "a" / "empty.jpg").touch()
    (photos / "a" / "page.png").write_text("<html>Not found</html>")
    (photos / "a" / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    first = await scanner.scan(photos)
    assert (await scanner.completed(first)).counts.errors == 0
    deep = await scanner.completed(await scanner.scan(photos, scan_mode="deep"))
    found = {item.path: item.code for item in deep.report}
    assert found == dict.fromkeys(("a/cut.jpg", "a/empty.jpg", "a/page.png"), "broken_image")
    assert (deep.counts.unchanged, deep.counts.images, deep.counts.errors) == (1, 9, 3)
    assert (await counts(scanner, photos, "quick")).unchanged == 1
