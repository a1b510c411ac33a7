"""Scans of what disks can hold at their worst: each thing is recorded, or reported with its reason; no scan fails."""

import asyncio
import os
import zipfile
from pathlib import Path

from linstock.messages.scan import ScanCompleted
from services.scanner import listing
from services.scanner.report import REPORT_LIMIT
from services.scanner.walk import PATH_LIMIT_BYTES
from tests.integration.scanner.conftest import Scanner
from tests.support.hostile import (
    LONGEST_NAME,
    put_archive_below,
    put_bomb,
    put_deep,
    put_encrypted_archive,
    put_huge_directory,
    put_specials,
)
from tests.support.trees import put, put_archive, put_broken_archive, put_many


def found(completed: ScanCompleted) -> list[tuple[str, str]]:
    return [(item.code, item.path) for item in completed.report]


async def test_loops_of_links_end_nowhere(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/b/1.jpg")
    (photos / "a" / "b" / "up").symlink_to(photos)
    (photos / "a" / "self").symlink_to("self")
    (photos / "ping").symlink_to("pong")
    (photos / "pong").symlink_to("ping")
    library = photos.parent / "library"
    library.symlink_to(photos)
    completed = await scanner.completed(await scanner.scan(library))
    assert await scanner.collections() == {"a/b": ("folder", 1)}
    assert completed.report[0].message == "4 symbolic links were not followed."
    assert (completed.counts.folders, completed.counts.errors) == (3, 0)


async def test_a_root_that_is_a_loop_of_links_fails_for_good(scanner: Scanner, photos: Path) -> None:
    (photos / "loop").symlink_to("loop")
    failed = await scanner.failed(await scanner.scan(photos / "loop"))
    assert (failed.code, failed.final) == ("root_unreadable", True)


async def test_sockets_pipes_and_devices_are_counted_and_never_opened(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    count = put_specials(photos / "a")
    completed = await scanner.completed(await scanner.scan(photos))
    assert await scanner.collections() == {"a": ("folder", 1)}
    assert [(item.code, item.message) for item in completed.report] == [
        ("specials_skipped", f"{count} sockets, pipes and devices were passed over.")
    ]


async def test_trees_deeper_than_a_path_can_say_are_catalogued(scanner: Scanner, photos: Path) -> None:
    path = put_deep(photos, folders=40, name=LONGEST_NAME.encode(), image=b"1.jpg")
    put_archive(photos / "x.zip", "1.png")
    put_archive_below(photos, path, b"x.cbz", (photos / "x.zip").read_bytes())
    completed = await scanner.completed(await scanner.scan(photos))
    assert len(path) > 10_000
    entries = [entry for page in await scanner.pages() for entry in page.collections]
    assert {entry.path_bytes or entry.path.encode() for entry in entries} == {b"x.zip", path, path + b"/x.cbz"}
    assert max(len(entry.path.encode()) for entry in entries) < 2100  # it is shown, sorted and indexed
    assert completed.report == ()
    assert (await scanner.completed(await scanner.scan(photos))).counts.unchanged == 3


async def test_what_is_deeper_still_is_reported(scanner: Scanner, photos: Path) -> None:
    put(photos, "a.jpg")
    put_deep(photos, folders=PATH_LIMIT_BYTES // 256 + 2, name=LONGEST_NAME.encode(), image=b"1.jpg")
    completed = await scanner.completed(await scanner.scan(photos))
    assert await scanner.collections() == {"": ("folder", 1)}
    (item,) = completed.report
    assert (item.code, item.message) == ("path_too_long", f"The path has more than {PATH_LIMIT_BYTES} bytes.")
    assert len(item.path) < 2000


async def test_one_folder_of_a_hundred_thousand(scanner: Scanner, photos: Path) -> None:
    put_many(photos, folders=1, images=100_000)
    completed = await scanner.completed(await scanner.scan(photos))
    assert (completed.counts.images, completed.counts.collections) == (100_000, 1)
    assert await scanner.collections() == {"folder-00000": ("folder", 100_000)}
    assert (await scanner.completed(await scanner.scan(photos))).counts.unchanged == 1


async def test_clocks_that_were_wrong(scanner: Scanner, photos: Path) -> None:
    put(photos, "future.jpg", "past.jpg", "far.jpg", "zero.jpg")
    put_archive(photos / "far.zip", "1.jpg")
    seconds = {"future.jpg": 4_000_000_000, "past.jpg": -5_000_000_000, "zero.jpg": 0}
    for name, at in seconds.items():
        os.utime(photos / name, (at, at))
    for name in ("far.jpg", "far.zip"):
        os.utime(photos / name, (15_000_000_000, 15_000_000_000))  # the year 2445, beyond 64 bits of nanoseconds
    completed = await scanner.completed(await scanner.scan(photos))
    assert (completed.counts.images, completed.counts.errors) == (5, 0)
    ((share, *_), *_) = [page.files for page in await scanner.pages()]
    times = {file.name: file.mtime_ns for file in share.files}
    for name in (*seconds, "far.jpg"):
        # A file system may keep fewer years than were asked for.
        assert times[name] == listing.storable((photos / name).stat().st_mtime_ns)
    assert (await scanner.completed(await scanner.scan(photos))).counts.unchanged == 2


def test_times_that_do_not_fit_are_the_nearest_that_do() -> None:
    assert listing.storable(2**70) == 2**63 - 1
    assert listing.storable(-(2**70)) == -(2**63)
    assert listing.storable(-1) == -1


async def test_archives_of_every_kind(scanner: Scanner, photos: Path) -> None:
    put_archive(photos / "good.zip", "1.png")
    put_broken_archive(photos / "broken.zip")
    (photos / "empty.zip").touch()
    (photos / "noise.cbz").write_bytes(os.urandom(5000))
    (photos / "folder.zip").mkdir()
    put_encrypted_archive(photos / "locked.zip", "1.jpg", "2.jpg")
    put_bomb(photos / "bomb.zip", images=50)
    put_huge_directory(photos / "huge.zip")
    with zipfile.ZipFile(photos / "inside.zip", "w") as archive:
        archive.write(photos / "bomb.zip", "bomb.zip")
    completed = await scanner.completed(await scanner.scan(photos))
    assert await scanner.collections() == {
        "good.zip": ("archive", 1),
        "locked.zip": ("archive", 2),
        "bomb.zip": ("archive", 50),
    }
    assert found(completed) == [
        ("broken_archive", name) for name in ("broken.zip", "empty.zip", "huge.zip", "noise.cbz")
    ]
    assert all(item.message for item in completed.report)


async def test_names_of_any_byte_and_length(scanner: Scanner, photos: Path) -> None:
    folder = os.fsencode(photos)
    names = [b"a\nb.jpg", b"-rf *.jpg", b"\\.jpg", b'"; DROP TABLE.jpg', b"\x01\x1b[31m.jpg", b"\xff" * 251 + b".jpg"]
    for name in names:
        with open(folder + b"/" + name, "wb"):  # noqa: PTH123 -- Path takes no bytes
            pass
    os.mkdir(folder + b"/" + b"\xfe" * 255)  # noqa: PTH102
    put_archive(Path(os.fsdecode(folder + b"/" + b"\xfe" * 255 + b"/x.zip")), "1.jpg")
    await scanner.scan(photos)
    recorded = {
        file.name_bytes or file.name.encode()
        for page in await scanner.pages()
        for share in page.files
        for file in share.files
    }
    assert recorded == {*names, b"1.jpg"}
    assert (await scanner.completed(await scanner.scan(photos))).counts.unchanged == 2


async def test_the_report_holds_the_first_two_hundred_items_and_fits(scanner: Scanner, photos: Path) -> None:
    long = "\x01" * 250  # each takes six bytes in JSON
    for number in range(REPORT_LIMIT + 50):
        put_broken_archive(photos / long / long / long / f"{number:03}.zip")
    completed = await scanner.completed(await scanner.scan(photos))
    assert completed.counts.errors == REPORT_LIMIT + 50
    assert 20 <= len(completed.report) <= REPORT_LIMIT
    for number in range(REPORT_LIMIT + 50):
        put_broken_archive(photos / "b" / f"{number:03}.zip")
    (photos / long).rename(photos.parent / "long")
    completed = await scanner.completed(await scanner.scan(photos))
    assert (completed.counts.errors, len(completed.report)) == (REPORT_LIMIT + 50, REPORT_LIMIT)


async def test_a_tree_that_changes_all_the_time_is_scanned_all_the_same(scanner: Scanner, photos: Path) -> None:
    put(photos, "stays/1.jpg")
    done = False

    def churn() -> None:
        number = 0
        while not done:
            folder = photos / f"gone-{number % 50}"
            put(folder, "1.jpg", "2.jpg")
            put_archive(folder / "x.zip", "1.jpg")
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
            number += 1

    churning = asyncio.create_task(asyncio.to_thread(churn))
    try:
        for _ in range(20):
            completed = await scanner.completed(await scanner.scan(photos))
            assert {item.code for item in completed.report} <= {"vanished", "broken_archive"}
    finally:
        done = True
        await churning
    assert (await scanner.collections())["stays"] == ("folder", 1)
