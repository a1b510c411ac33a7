"""Real trees: the walk is nothing without a file system."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from services.scanner import listing
from services.scanner.listing import Folder, Stopped, Trouble
from services.scanner.scope import Scope
from services.scanner.walk import RootUnavailable, walk
from tests.support.processes import as_unprivileged
from tests.support.trees import put, put_archive

SCRIPTS = ("photos", "фото", "写真", "تصاویر", "φωτό")


def folders(root: Path, **settings: Any) -> dict[bytes, Folder]:
    found = list(walk(os.fsencode(root), Scope(**settings)))
    assert not [item for item in found if isinstance(item, Trouble)]
    return {item.path: item for item in found if isinstance(item, Folder)}


def troubles(root: Path) -> list[Trouble]:
    return [item for item in walk(os.fsencode(root)) if isinstance(item, Trouble)]


def test_direct_images_in_any_letter_case(tmp_path: Path) -> None:
    put(tmp_path, "a.JPG", "b.jpeg", "c.PnG", "d.gif", "e.bmp", "f.webp", "g.AVIF", "deep/er/h.jpg")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "jpg").write_text("x")
    found = folders(tmp_path)
    assert found[b""].images.names == [b"a.JPG", b"b.jpeg", b"c.PnG", b"d.gif", b"e.bmp", b"f.webp", b"g.AVIF"]
    assert found[b""].files == 9
    assert list(found[b"deep"].images.names) == []
    assert found[b"deep/er"].images.names == [b"h.jpg"]


def test_sizes_and_times_are_those_of_the_files(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg")
    os.utime(tmp_path / "a.jpg", ns=(1, 1_700_000_000_123_456_789))
    images = folders(tmp_path)[b""].images
    assert (list(images.sizes), list(images.mtimes)) == (
        [(tmp_path / "a.jpg").stat().st_size],
        [1_700_000_000_123_456_789],
    )


def test_folders_come_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    put(tmp_path, *(f"{name}/{sub}/x.jpg" for name in SCRIPTS for sub in ("b", "a")))
    paths = [item.path for item in walk(os.fsencode(tmp_path)) if isinstance(item, Folder)]
    assert paths == sorted(paths)
    assert len(paths) == 1 + 3 * len(SCRIPTS)


def test_archives_are_named_and_not_opened(tmp_path: Path) -> None:
    put_archive(tmp_path / "x" / "one.CBZ", "a.png")
    (tmp_path / "x" / "two.zip").write_bytes(b"no zip")
    assert [archive.path for archive in folders(tmp_path)[b"x"].archives] == [b"x/one.CBZ", b"x/two.zip"]


def test_subfolders_only_when_wanted(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg", "sub/b.jpg")
    assert list(folders(tmp_path, include_subfolders=False)) == [b""]


def test_names_that_are_not_utf8_and_names_of_255_bytes(tmp_path: Path) -> None:
    odd, long = b"caf\xe9\xff", "ж" * 125 + "x.jpg"
    folder = os.path.join(os.fsencode(tmp_path), odd)  # noqa: PTH118 -- Path takes no bytes
    os.mkdir(folder)  # noqa: PTH102
    for name in (b"\xfe.jpg", long.encode()):
        with open(os.path.join(folder, name), "wb"):  # noqa: PTH118, PTH123
            pass
    assert len(long.encode()) == 255
    assert folders(tmp_path)[odd].images.names == sorted([b"\xfe.jpg", long.encode()])


def test_links_are_counted_and_not_followed(tmp_path: Path) -> None:
    put(tmp_path, "real/a.jpg")
    (tmp_path / "real" / "loop").symlink_to(tmp_path)
    (tmp_path / "real" / "link.jpg").symlink_to(tmp_path / "real" / "a.jpg")
    (tmp_path / "dangling.zip").symlink_to("nowhere")
    found = folders(tmp_path)
    assert list(found) == [b"", b"real"]
    assert found[b"real"].images.names == [b"a.jpg"]
    assert (found[b""].symlinks, found[b"real"].symlinks, found[b"real"].files) == (1, 2, 1)


def test_a_root_that_is_a_link_is_walked(tmp_path: Path) -> None:
    put(tmp_path / "disk", "a.jpg")
    (tmp_path / "library").symlink_to(tmp_path / "disk")
    assert folders(tmp_path / "library")[b""].images.names == [b"a.jpg"]


def test_sockets_and_pipes_are_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        before = Path.cwd()
        os.chdir(tmp_path)  # a socket's path is at most 107 bytes
        try:
            listener.bind("s.zip")
        finally:
            os.chdir(before)
        root = folders(tmp_path)[b""]
    assert (len(root.images), root.archives, root.files, root.entries) == (0, (), 0, 2)


def test_a_missing_root_and_a_file_as_root_say_so(tmp_path: Path) -> None:
    with pytest.raises(RootUnavailable) as missing:
        list(walk(os.fsencode(tmp_path / "gone")))
    assert missing.value.code == "root_missing"
    assert str(missing.value) == f"The library's folder {tmp_path / 'gone'} does not exist."
    put(tmp_path, "a.jpg")
    with pytest.raises(RootUnavailable) as file:
        list(walk(os.fsencode(tmp_path / "a.jpg")))
    assert file.value.code == "root_not_a_directory"


def test_an_unreadable_folder_is_reported_and_the_walk_goes_on(tmp_path: Path) -> None:
    put(tmp_path, "closed/a.jpg", "open/b.jpg")
    (tmp_path / "closed").chmod(0)

    def look() -> tuple[list[str], list[bytes]]:
        found = list(walk(os.fsencode(tmp_path)))
        codes = [f"{item.code} {item.path.decode()}" for item in found if isinstance(item, Trouble)]
        return codes, [item.path for item in found if isinstance(item, Folder)]

    assert as_unprivileged(look, owner_of=tmp_path) == (["unreadable closed"], [b"", b"open"])


def test_an_unreadable_root_says_so(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir(mode=0)

    def look() -> str:
        try:
            list(walk(os.fsencode(tmp_path / "root")))
        except RootUnavailable as error:
            return error.code
        return "readable"

    assert as_unprivileged(look, owner_of=tmp_path) == "root_unreadable"


def test_a_folder_that_vanishes_meanwhile_is_reported(tmp_path: Path) -> None:
    put(tmp_path, "a/1.jpg", "b/2.jpg")
    walking = walk(os.fsencode(tmp_path))
    next(walking)
    (tmp_path / "b" / "2.jpg").unlink()
    (tmp_path / "b").rmdir()
    rest = list(walking)
    assert [(item.code, item.path) for item in rest if isinstance(item, Trouble)] == [("vanished", b"b")]


def test_a_folder_that_becomes_a_link_meanwhile_is_not_followed(tmp_path: Path) -> None:
    put(tmp_path, "root/a/1.jpg", "elsewhere/2.jpg")
    walking = walk(os.fsencode(tmp_path / "root"))
    next(walking)
    (tmp_path / "root" / "a").rename(tmp_path / "root" / "was-a")
    (tmp_path / "root" / "a").symlink_to(tmp_path / "elsewhere")
    assert [item.path for item in walking] == [b"a"]


def test_it_stops_between_folders(tmp_path: Path) -> None:
    put(tmp_path, "a/1.jpg", "b/2.jpg")
    stop = False
    walking = walk(os.fsencode(tmp_path), stopping=lambda: stop)
    next(walking)
    stop = True
    with pytest.raises(Stopped):
        next(walking)


def test_a_folder_tells_of_its_next_change_only_when_the_last_one_is_a_while_ago() -> None:
    now, second = 1_795_576_605_850_712_991, 10**9
    long_ago, far_off = now - 3 * second, now + 10_000 * second
    for stamp in ((long_ago, long_ago), (0, long_ago), (far_off, long_ago)):
        assert listing._sure(stamp, now) == stamp
    for stamp in ((now, now), (long_ago, now - second), (now - second, long_ago), (now + second, long_ago)):
        assert listing._sure(stamp, now) == listing.UNSURE
