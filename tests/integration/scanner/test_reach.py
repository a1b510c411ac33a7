"""Scans of a part of a library: nothing else is looked at, and nothing else can be absent."""

import os
from pathlib import Path

import pytest

from linstock.messages.scan import Counts
from tests.integration.scanner.conftest import Scanner
from tests.support.trees import put, put_archive


async def counts(scanner: Scanner, root: Path, *paths: bytes, mode: str = "changed", **settings: object) -> Counts:
    scan = await scanner.scan(root, scan_mode=mode, paths=paths, **settings)  # type: ignore[arg-type]
    return (await scanner.completed(scan)).counts


@pytest.mark.parametrize("mode", ["quick", "changed", "deep"])
async def test_only_what_lies_in_the_scope_is_looked_at_and_missed(scanner: Scanner, photos: Path, mode: str) -> None:
    put(photos, "1.jpg", "a/2.jpg", "a/b/3.jpg", "a-b/4.jpg", "c/5.jpg")
    put_archive(photos / "a" / "x.zip", "1.jpg")
    await scanner.scan(photos)
    for gone in ("a/b/3.jpg", "c/5.jpg", "a/x.zip"):
        (photos / gone).unlink()
    put(photos, "a/new/6.jpg", "a-b/new/7.jpg")
    seen = await counts(scanner, photos, b"a", mode=mode)
    assert (seen.collections, seen.added, seen.unchanged, seen.absent, seen.folders) == (2, 1, 1, 2, 3)
    assert (seen.missing, seen.excluded) == (2, 0)
    whole = await counts(scanner, photos, mode=mode)
    assert (whole.added, whole.absent, whole.missing) == (1, 1, 1)


async def test_a_scan_of_everything_after_one_of_a_part_sees_everything(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "b/2.jpg")
    assert (await counts(scanner, photos, b"a", mode="quick")).added == 1
    assert (await counts(scanner, photos, mode="quick")).added == 1


async def test_a_file_stands_for_its_folder_alone(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "a/b/2.jpg")
    put_archive(photos / "a" / "x.zip", "1.jpg")
    await scanner.scan(photos)
    for file in (b"a/1.jpg", b"a/x.zip", b"a/not there any more.jpg"):
        seen = await counts(scanner, photos, file)
        assert (seen.folders, seen.collections, seen.unchanged, seen.absent) == (1, 2, 2, 0)
    (photos / "a" / "x.zip").unlink()
    seen = await counts(scanner, photos, b"a/x.zip")
    assert (seen.unchanged, seen.absent) == (1, 1)


async def test_several_paths_are_each_looked_at_once(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "a/b/2.jpg", "c/3.jpg", "d/4.jpg")
    seen = await counts(scanner, photos, b"a/b", b"a", b"c/3.jpg", b"c/other.jpg", b"a")
    assert (seen.folders, seen.added) == (3, 3)


async def test_names_of_any_bytes_and_scripts_can_be_scanned(scanner: Scanner, photos: Path) -> None:
    odd = os.fsencode(photos) + b"/caf\xe9"
    os.mkdir(odd)  # noqa: PTH102 -- Path takes no bytes
    Path(os.fsdecode(odd + b"/\xff.jpg")).touch()
    put(photos, "лето/夏/1.jpg", "summer/2.jpg")
    assert (await counts(scanner, photos, b"caf\xe9")).added == 1
    assert (await counts(scanner, photos, "лето".encode())).added == 1
    assert (await counts(scanner, photos)).unchanged == 2


async def test_a_folder_that_is_gone_is_reported_and_what_it_held_is_absent(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/b/1.jpg", "c/2.jpg")
    await scanner.scan(photos)
    (photos / "a").rename(photos.parent / "away")
    completed = await scanner.completed(await scanner.scan(photos, paths=[b"a/b"]))
    assert [(item.code, item.path) for item in completed.report] == [("vanished", "a/b")]
    assert completed.counts.absent == 1


async def test_no_link_on_the_way_leads_out_of_the_library(scanner: Scanner, photos: Path, tmp_path: Path) -> None:
    put(tmp_path / "secret", "deep/1.jpg", "2.jpg")
    put(photos, "a/3.jpg")
    (photos / "link").symlink_to(tmp_path / "secret")
    for path in (b"link", b"link/deep", b"link/2.jpg", b"link/gone.jpg"):
        completed = await scanner.completed(await scanner.scan(photos, paths=[path]))
        assert (completed.counts.collections, completed.counts.files) == (0, 0)
        assert completed.counts.errors == 1
    assert await scanner.pages() == []


async def test_settings_hold_in_a_scope_too(scanner: Scanner, photos: Path) -> None:
    put(photos, "keep/1.jpg", "skip/deep/2.jpg")
    await scanner.scan(photos)
    seen = await counts(scanner, photos, b"skip/deep", exclude_patterns=("skip/",))
    assert (seen.collections, seen.folders, seen.absent, seen.excluded) == (0, 0, 0, 1)


async def test_a_scope_of_a_root_that_is_away_fails_and_nothing_is_absent(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    await scanner.scan(photos)
    photos.rename(photos.parent / "away")
    failed = await scanner.failed(await scanner.scan(photos, paths=[b"a"]))
    assert (failed.code, failed.final) == ("root_missing", True)


async def test_rows_of_folders_outside_the_scope_stay(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/b/1.jpg", "c/2.jpg")
    await scanner.scan(photos)
    (photos / "a" / "b").rename(photos.parent / "away")

    async def remembered() -> set[bytes]:
        return {row["path"] for row in await scanner.pool.fetch("SELECT path FROM index_folders")}

    await scanner.scan(photos, paths=[b"c"])
    assert await remembered() == {b"", b"a", b"a/b", b"c"}
    await scanner.scan(photos, paths=[b"a"])
    assert await remembered() == {b"", b"a", b"c"}


async def test_a_part_that_holds_nothing_any_more_is_marked_missing_without_a_question(
    scanner: Scanner, photos: Path
) -> None:
    put(photos, "a/1.jpg", "b/2.jpg")
    await scanner.scan(photos)
    (photos / "a" / "1.jpg").unlink()
    completed = await scanner.completed(await scanner.scan(photos, paths=[b"a"]))
    assert (completed.counts.missing, completed.held) == (1, 0)


async def test_an_empty_root_holds_also_what_only_a_part_of_it_was_asked_for(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "2.jpg")
    await scanner.scan(photos)
    (photos / "a").rename(photos.parent / "away")
    (photos / "2.jpg").unlink()
    completed = await scanner.completed(await scanner.scan(photos, paths=[b"2.jpg"]))
    assert (completed.counts.missing, completed.held) == (0, 1)


async def test_a_part_settles_nothing_that_waits_elsewhere(scanner: Scanner, photos: Path) -> None:
    put(photos, "keep/0.jpg", *(f"{number}/1.jpg" for number in range(5)))
    await scanner.scan(photos)
    for number in range(5):
        (photos / str(number) / "1.jpg").unlink()
    assert (await scanner.completed(await scanner.scan(photos))).held == 5
    part = await scanner.completed(await scanner.scan(photos, paths=[b"keep"]))
    assert (part.held, part.counts.absent, part.counts.missing) == (5, 0, 0)
    assert (await scanner.completed(await scanner.scan(photos))).held == 5
