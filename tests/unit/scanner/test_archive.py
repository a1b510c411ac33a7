import contextlib
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.scanner import archive
from services.scanner.archive import BrokenArchive, images_in
from services.scanner.images import Images
from tests.support.trees import image, put_archive, put_broken_archive

SECOND_NS = 1_000_000_000


def look(path: Path) -> Images:
    return images_in(os.fsencode(path.parent), os.fsencode(path.name))


def test_images_are_counted_in_any_letter_case_and_depth(tmp_path: Path) -> None:
    put_archive(tmp_path / "a.zip", "cover.JPG", "pages/01.png", "pages/", "ComicInfo.xml", "фото.WebP")
    images = look(tmp_path / "a.zip")
    assert images.names == [b"cover.JPG", b"pages/01.png", "фото.WebP".encode()]
    assert images.sizes[0] == len(image("cover.JPG"))
    assert images.mtimes[0] == 1767323046 * SECOND_NS  # 2026-01-02 03:04:06


def test_an_archive_without_images_has_none(tmp_path: Path) -> None:
    put_archive(tmp_path / "a.zip", "readme.txt")
    put_archive(tmp_path / "b.zip")
    assert (len(look(tmp_path / "a.zip")), len(look(tmp_path / "b.zip"))) == (0, 0)


def test_what_precedes_and_follows_the_archive_does_not_matter(tmp_path: Path) -> None:
    put_archive(tmp_path / "a.zip", "a.png", "b.png")
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as opened:
        opened.comment = b"a comment"
    (tmp_path / "b.zip").write_bytes(b"#!/bin/sh\n" * 100 + (tmp_path / "a.zip").read_bytes())
    assert look(tmp_path / "b.zip").names == [b"a.png", b"b.png"]


def test_more_entries_than_the_old_format_can_count(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        for number in range(66_000):
            opened.writestr(zipfile.ZipInfo(f"{number}.png"), b"")
    assert len(look(tmp_path / "a.zip")) == 66_000


def test_what_can_not_be_read_says_why(tmp_path: Path) -> None:
    put_broken_archive(tmp_path / "cut.zip")
    (tmp_path / "empty.zip").write_bytes(b"")
    (tmp_path / "text.zip").write_text("This is no archive.")
    whole = tmp_path / "damaged.zip"
    put_archive(whole, "a.png")
    whole.write_bytes(whole.read_bytes().replace(b"PK\x01\x02", b"XXXX"))
    for name in ("cut.zip", "empty.zip", "text.zip", "damaged.zip"):
        with pytest.raises(BrokenArchive) as broken:
            look(tmp_path / name)
        assert broken.value.detail


def test_a_directory_beyond_the_limits_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_archive(tmp_path / "a.zip", *(f"{n}.png" for n in range(20)))
    monkeypatch.setattr(archive, "MAX_DIRECTORY_BYTES", 500)
    with pytest.raises(BrokenArchive, match="too large"):
        look(tmp_path / "a.zip")


def test_a_pipe_in_the_place_of_an_archive_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.zip")
    with pytest.raises(BrokenArchive):
        look(tmp_path / "a.zip")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6), st.integers(0, 400))
def test_damage_is_an_answer_or_broken_archive_and_nothing_else(
    tmp_path: Path, damage: list[tuple[int, int]], cut: int
) -> None:
    path = tmp_path / "a.zip"
    put_archive(path, "a.png", "b.jpg")
    content = bytearray(path.read_bytes()[: -cut or None])
    for at, value in damage:
        if at < len(content):
            content[-at] = value
    path.write_bytes(content)
    with contextlib.suppress(BrokenArchive):
        assert len(look(path)) <= 2
