"""The reading process, on good and on hostile images: what it says of each, and that nothing of it is felt outside."""

import os
import signal
import zipfile
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from linstock.messages.enrichment import LARGEST_THUMBNAIL_BYTES
from services.scanner.enrichment import limits, words
from services.scanner.enrichment.reader import Reader
from services.scanner.enrichment.words import Drawn, File, Looked, Place
from tests.support.hostile import put_bomb, put_encrypted_archive
from tests.support.pictures import animated, jpeg_of, picture, png, png_bomb, zipped

MOST_MEMORY_KIB = 256 * 1024


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    made = Reader()
    yield made
    await made.stop()


class Shelf:
    """A folder, or an archive in it, whose images are read."""

    def __init__(self, reader: Reader, root: Path, archive: str = "") -> None:
        status = (root / archive).stat()
        stamp = (status.st_size, status.st_mtime_ns) if archive else None
        self._place = Place(os.fsencode(root), os.fsencode(archive), stamp, None)
        self._reader = reader
        self._root = root

    async def look(self, *names: str) -> list[Looked]:
        return await self._reader.look(self._place, [self._file(name) for name in names])

    async def draw(self, name: str) -> Drawn:
        return await self._reader.draw(self._place, self._file(name))

    def _file(self, name: str) -> File:
        if self._place.archive:
            return File(name.encode(), 0, 0)
        status = (self._root / name).stat()
        return File(os.fsencode(name), status.st_size, status.st_mtime_ns)


async def said_of(reader: Reader, tmp_path: Path, content: bytes, name: str = "image.jpg") -> Looked:
    (tmp_path / name).write_bytes(content)
    [looked] = await Shelf(reader, tmp_path).look(name)
    return looked


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "AVIF"])
async def test_every_format_has_its_size_whatever_it_is_called(reader: Reader, tmp_path: Path, form: str) -> None:
    assert await said_of(reader, tmp_path, picture(form, (67, 45)), "misnamed.png") == Looked(67, 45)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "AVIF"])
@pytest.mark.parametrize("part", [0.5, 0.9])
async def test_a_truncated_image_is_corrupt(reader: Reader, tmp_path: Path, form: str, part: float) -> None:
    whole = picture(form, (640, 480))
    looked = await said_of(reader, tmp_path, whole[: int(len(whole) * part)])
    assert looked.code in ("corrupt", "not_an_image")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\xff\xd8\xff", "corrupt"),
        (b"not an image at all", "not_an_image"),
        (b"<svg width='1' height='1'>", "not_an_image"),
        (bytes(100_000), "not_an_image"),
        (b"\xff\xd8\xff" + bytes(5_000_000), "corrupt"),
        (jpeg_of(65_500, 65_500), "too_many_pixels"),
        (png(65_535, 65_535, b""), "too_many_pixels"),
        (b"GIF89a\xff\xff\xff\xff" + picture("GIF")[10:], "too_many_pixels"),
        (b"RIFF\x1a\0\0\0WEBPVP8X" + bytes(8) + b"\xff" * 6 + bytes(8), "too_many_pixels"),
    ],
)
async def test_what_is_refused_and_why(reader: Reader, tmp_path: Path, content: bytes, code: str) -> None:
    looked = await said_of(reader, tmp_path, content)
    assert looked.code == code, looked
    assert looked.message
    if code == "too_many_pixels":
        assert "at most 200,000,000" in looked.message


@pytest.mark.parametrize(
    "content",
    [
        picture("JPEG", mode="CMYK"),
        picture("PNG", mode="I;16"),
        picture("PNG", mode="LA"),
        picture("PNG", mode="1"),
        picture("GIF", mode="P"),
        picture("JPEG", mode="L", progressive=True),
        animated("GIF"),
        animated("WEBP"),
        picture("JPEG") + b"what a phone appends: a film" * 1000,
    ],
    ids=["cmyk", "16 bit", "alpha", "1 bit", "palette", "progressive", "gif", "webp", "trailer"],
)
async def test_unusual_images_are_drawn(reader: Reader, tmp_path: Path, content: bytes) -> None:
    looked = await said_of(reader, tmp_path, content)
    assert looked.code == ""
    drawn = await Shelf(reader, tmp_path).draw("image.jpg")
    assert (drawn.looked, set(drawn.made)) == (looked, {160, 320, 640})


async def test_sixteen_bits_keep_their_shades(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "image.png").write_bytes(picture("PNG", (64, 64), mode="I;16"))
    drawn = await Shelf(reader, tmp_path).draw("image.png")
    with Image.open(BytesIO(drawn.made[160])) as thumbnail:
        shades = thumbnail.convert("L").tobytes()
    assert min(shades) < 20
    assert max(shades) > 235


async def test_noise_makes_no_thumbnail_too_large(reader: Reader, tmp_path: Path) -> None:
    Image.frombytes("RGBA", (700, 700), os.urandom(700 * 700 * 4)).save(tmp_path / "noise.png")
    drawn = await Shelf(reader, tmp_path).draw("noise.png")
    assert 0 < len(drawn.made[640]) <= LARGEST_THUMBNAIL_BYTES


async def test_thumbnails_are_as_long_as_they_are_called_and_upright(reader: Reader, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "image.jpg").write_bytes(picture("JPEG", (2000, 1000), exif=exif))
    drawn = await Shelf(reader, tmp_path).draw("image.jpg")
    assert (drawn.looked.width, drawn.looked.height) == (1000, 2000)
    for edge, made in drawn.made.items():
        with Image.open(BytesIO(made)) as thumbnail:
            assert (thumbnail.format, thumbnail.size) == ("WEBP", (edge // 2, edge))


async def test_archives_are_read_whole_and_checked(reader: Reader, tmp_path: Path) -> None:
    good = picture("JPEG", (100, 50))
    path = zipped(tmp_path / "book.cbz", {"1.jpg": good, "2.png": b"", "3.jpg": good[:-200], "4.jpg": good})
    content = path.read_bytes()
    last = content.rindex(good[-60:])
    path.write_bytes(content[: last + 20] + bytes([content[last + 20] ^ 1]) + content[last + 21 :])
    first, empty, cut, flipped, gone = await Shelf(reader, tmp_path, "book.cbz").look(
        "1.jpg", "2.png", "3.jpg", "4.jpg", "5.jpg"
    )
    assert first == Looked(100, 50)
    assert (empty.code, cut.code, flipped.code, gone.code) == ("empty", "corrupt", "corrupt", words.CHANGED)
    drawn = await Shelf(reader, tmp_path, "book.cbz").draw("1.jpg")
    assert set(drawn.made) == {160, 320, 640}


async def test_names_that_lead_out_of_an_archive_are_refused(reader: Reader, tmp_path: Path) -> None:
    names = ("../1.png", "/2.png", "a/../../3.png", "..\\4.png", "C:\\5.png")
    zipped(tmp_path / "hostile.zip", dict.fromkeys(names, picture("PNG")))
    looked = await Shelf(reader, tmp_path, "hostile.zip").look(*names)
    assert {each.code for each in looked} == {"bad_name"}
    assert list(tmp_path.parent.glob("*.png")) == []


async def test_a_name_with_a_nul_is_refused(reader: Reader, tmp_path: Path) -> None:
    path = zipped(tmp_path / "hostile.zip", {"aXb.png": picture("PNG")})
    path.write_bytes(path.read_bytes().replace(b"aXb.png", b"a\0b.png"))
    [looked] = await Shelf(reader, tmp_path, "hostile.zip").look("a\0b.png")
    assert looked.code == "bad_name"


async def test_what_is_encrypted_is_not_tried(reader: Reader, tmp_path: Path) -> None:
    put_encrypted_archive(tmp_path / "secret.zip", "1.png")
    [looked] = await Shelf(reader, tmp_path, "secret.zip").look("1.png")
    assert looked.code == "encrypted"


async def test_sizes_that_lie_are_refused(reader: Reader, tmp_path: Path) -> None:
    put_bomb(tmp_path / "bomb.zip", images=1)
    [looked] = await Shelf(reader, tmp_path, "bomb.zip").look("0.png")
    assert (looked.code, "at most 536,870,912" in looked.message) == ("too_large", True)


async def test_zip_bombs_are_refused_with_the_limit(reader: Reader, tmp_path: Path) -> None:
    zipped(tmp_path / "bomb.zip", {"1.png": bytes(300 * 1024 * 1024), "2.png": bytes(1000)}, zipfile.ZIP_DEFLATED)
    bomb, small = await Shelf(reader, tmp_path, "bomb.zip").look("1.png", "2.png")
    assert (bomb.code, small.code) == ("zip_ratio", "not_an_image")
    assert "at most 200 times" in bomb.message


async def test_too_many_entries_refuse_the_archive(reader: Reader, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(limits.MOST_ENTRIES + 1):
            archive.writestr(zipfile.ZipInfo(f"{number:06}.png"), b"")
    [looked] = await Shelf(reader, tmp_path, "many.zip").look("000001.png")
    assert (looked.code, looked.archive) == ("too_many_entries", True)
    assert "at most 100,000" in looked.message
    assert most_memory_kib(reader) < MOST_MEMORY_KIB


async def test_no_zip_at_all(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and then nothing")
    [looked] = await Shelf(reader, tmp_path, "broken.zip").look("1.png")
    assert (looked.code, looked.archive) == ("broken_archive", True)


async def test_a_bomb_of_pixels_costs_no_memory_and_no_process(reader: Reader, tmp_path: Path) -> None:
    """12,000 × 12,000 are within the limit of pixels and beyond that of memory: known by size, and no cover."""
    assert await said_of(reader, tmp_path, png_bomb(12_000), "bomb.png") == Looked(12_000, 12_000)
    before = reader.pid
    drawn = await Shelf(reader, tmp_path).draw("bomb.png")
    assert (drawn.looked, drawn.made) == (Looked(), {})
    zipped(tmp_path / "bomb.zip", {"1.png": png_bomb(12_000), "2.jpg": jpeg_of(14_000, 14_000)})
    await Shelf(reader, tmp_path, "bomb.zip").look("1.png", "2.jpg")
    (tmp_path / "large.jpg").write_bytes(picture("JPEG", (9_000, 9_000), progressive=True))
    drawn = await Shelf(reader, tmp_path).draw("large.jpg")
    (tmp_path / "plain.jpg").write_bytes(picture("JPEG", (9_000, 9_000)))
    assert (await Shelf(reader, tmp_path).draw("plain.jpg")).made
    assert reader.pid == before
    assert most_memory_kib(reader) < MOST_MEMORY_KIB


async def test_a_file_that_ends_the_process_twice_is_said_to(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("1.jpg", "2.jpg", "3.jpg"):
        (tmp_path / name).write_bytes(picture("JPEG"))
    monkeypatch.setattr("services.scanner.enrichment.reader.MODULE", "tests.support.killed_reader")
    good, bad, good_too = await Shelf(reader, tmp_path).look("1.jpg", "2.jpg", "3.jpg")
    assert good == good_too == Looked(64, 48)
    assert bad.code == "crashed"
    assert f"signal {int(signal.SIGSEGV)}" in bad.message


async def test_what_takes_too_long_is_said_to(reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow.jpg").write_bytes(picture("JPEG"))
    monkeypatch.setattr("services.scanner.enrichment.reader.MODULE", "tests.support.killed_reader")
    [looked] = await Shelf(reader, tmp_path).look("slow.jpg")
    assert looked.code == "too_slow"


async def test_a_file_that_is_another_by_now_is_left_to_the_next_scan(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(picture("JPEG"))
    place = Place(os.fsencode(tmp_path), b"", None, None)
    looked = await reader.look(place, [File(b"1.jpg", 1, 2), File(b"2.jpg", 1, 2)])
    assert [each.code for each in looked] == [words.CHANGED, words.GONE]


async def test_nothing_outside_of_the_allowed_folders_is_read(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(picture("JPEG"))
    status = (tmp_path / "1.jpg").stat()
    place = Place(os.fsencode(tmp_path), b"", None, (b"/elsewhere",))
    [looked] = await reader.look(place, [File(b"1.jpg", status.st_size, status.st_mtime_ns)])
    assert looked.code == words.UNREADABLE


def most_memory_kib(reader: Reader) -> int:
    status = Path(f"/proc/{reader.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])
