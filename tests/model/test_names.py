"""Names in many scripts and of any bytes, and archives by many programs: recorded, shown, and found again unchanged."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from linstock.messages.scan import Counts, ScanCompleted
from tests.model.wishes import Wishes
from tests.model.world import World
from tests.support.archivers import archivers, put_archive_of, seven_zip
from tests.support.trees import image

TEXTS = (
    unicodedata.normalize("NFC", "Žluťoučký café"),
    unicodedata.normalize("NFD", "Žluťoučký café"),
    "Летний отпуск",
    "صور العائلة",
    "写真集・夏",
    "चित्र संग्रह",
    "👩‍👩‍👧 семья",
    "\u202egpj.exe",  # shown from right to left
    "İstanbul ß ſ",  # longer, or others, in lower case
    "IMG",
    "img",
    "Img",
    " spaces ",
    "dots..",
    "%2e%2f~$HOME*?[a]!",
    "back\\slash",
    "quo\"te's",
)
RAW = (
    "Grüße".encode("cp437"),
    "Grüße".encode("latin-1"),
    "表示".encode("shift_jis"),  # with a byte that is a backslash elsewhere
    "Фото".encode("cp1251"),
    b"\xff\xfe",
    b"half a" + "😀".encode()[:3],
    b"\xed\xa0\x80",  # half a pair of UTF-16
    b"a\nb\r\tc",
    b"\x01\x1b[31m\x7f",
    b"n" * 251,
    "長".encode() * 83,
)
NAMES = (*(text.encode() for text in TEXTS), *RAW)


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    world = World(database_url)
    yield world
    world.close()


class Scans:
    def __init__(self, world: World, root: Path) -> None:
        self._world = world
        self._root = root
        self._library_id: UUID = uuid4()

    def scan(self, mode: str = "changed", *paths: bytes) -> Counts:
        named = [os.fsdecode(path) for path in paths]
        _, verdict, _ = self._world.scan(self._library_id, self._root, Wishes(), mode, named, dry_run=False)
        assert isinstance(verdict, ScanCompleted), verdict
        return verdict.counts

    def listed(self) -> dict[bytes, dict[bytes, int]]:
        return self._world.listed(self._library_id)

    def is_found_again(self, collections: int) -> None:
        """Unchanged, in every mode, and also when what is remembered was forgotten."""
        before = self._world.shown(self._library_id)
        for mode in ("quick", "changed", "deep", "changed"):
            counts = self.scan(mode)
            assert (counts.unchanged, counts.absent, counts.errors) == (collections, 0, 0), mode
            self._world.forget_index(self._library_id)
        assert self._world.shown(self._library_id) == before


def put(path: bytes, content: bytes) -> None:
    with open(path, "wb") as file:  # noqa: PTH123 - Path takes no bytes
        file.write(content)


def test_every_name_of_folders_and_images(world: World, tmp_path: Path) -> None:
    root, scans = os.fsencode(tmp_path), Scans(world, tmp_path)
    wanted: dict[bytes, dict[bytes, int]] = {}
    for folder in NAMES:
        os.mkdir(root + b"/" + folder)  # noqa: PTH102 - Path takes no bytes
        wanted[folder] = {name + b".png": len(image("1.png")) for name in NAMES}
        for name in wanted[folder]:
            put(root + b"/" + folder + b"/" + name, image("1.png"))
    counts = scans.scan()
    assert (counts.added, counts.images, counts.errors) == (len(NAMES), len(NAMES) ** 2, 0)
    assert scans.listed() == wanted
    scans.is_found_again(len(NAMES))
    for folder in NAMES:
        assert scans.scan("changed", folder).unchanged == 1
        assert scans.scan("quick", folder + b"/" + NAMES[0] + b".png").unchanged == 1


def test_every_name_of_and_in_archives(world: World, tmp_path: Path) -> None:
    root, scans = os.fsencode(tmp_path), Scans(world, tmp_path)
    odd = (b"nul\0byte", b"../../up", b"/from the root", b"C:\\Windows", b"n" * 4000)
    members = {name + b".png": image("1.png") for name in (*NAMES, *odd)}
    members |= {b"deep/" + name: content for name, content in members.items() if len(name) < 4000}
    put_archive_of(tmp_path / "model.zip", members)
    packed = (tmp_path / "model.zip").read_bytes()
    (tmp_path / "model.zip").unlink()
    for name in NAMES:
        put(root + b"/" + name + b".zip", packed)
    assert scans.scan().added == len(NAMES)
    sizes = {name: len(content) for name, content in members.items()}
    assert scans.listed() == {name + b".zip": sizes for name in NAMES}
    scans.is_found_again(len(NAMES))


def test_what_differs_in_nothing_but_case_or_form_stays_apart(world: World, tmp_path: Path) -> None:
    scans = Scans(world, tmp_path)
    alike = ("IMG", "img", *TEXTS[:2])
    for folder in alike:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.png").write_bytes(image("1.png"))
    assert scans.scan().added == len(alike)
    (tmp_path / "IMG" / "1.png").rename(tmp_path / "IMG" / "1.PNG")
    (tmp_path / TEXTS[0] / "1.png").unlink()
    counts = scans.scan()
    assert (counts.changed, counts.moved_images, counts.missing, counts.unchanged) == (1, 1, 1, 2)
    assert set(scans.listed()) == {name.encode() for name in alike}


def test_archives_by_every_program(world: World, tmp_path: Path) -> None:
    pictures, library = tmp_path / "pictures", tmp_path / "library"
    library.mkdir()
    for number, text in enumerate(TEXTS[:10]):
        folder = pictures / text if number % 2 else pictures
        folder.mkdir(parents=True, exist_ok=True)
        for suffix in ("png", "JPG", "txt"):
            (folder / f"{text}.{suffix}").write_bytes(image(f"1.{suffix.lower()}") + b"\0" * number)
    wanted = {
        os.fsencode(path.relative_to(pictures)): path.stat().st_size
        for path in pictures.rglob("*")
        if path.suffix in (".png", ".JPG")
    }
    programs = archivers()
    assert {name.partition(" ")[0] for name in programs} >= {"python", "7z"} or seven_zip() is None
    for name, archiver in programs.items():
        archiver(pictures, library / f"{name}.zip")
    scans = Scans(world, library)
    counts = scans.scan()
    assert (counts.added, counts.errors) == (len(programs), 0)
    assert scans.listed() == {f"{name}.zip".encode(): wanted for name in programs}
    scans.is_found_again(len(programs))
