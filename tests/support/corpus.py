"""Everything hostile at once, beside a few good images: what becomes of it, and what it may cost."""

import os
import random
import struct
import zipfile
from pathlib import Path

from tests.support.hostile import put_bomb, put_deep, put_encrypted_archive, put_huge_directory, put_specials
from tests.support.pictures import animated, jpeg_of, picture, png, png_bomb, zipped

GOOD = ("good/1.jpg", "good/2.png", "good/3.webp", "good/4.gif")
MIB = 1024 * 1024

IMAGES = {
    "empty.jpg": (b"", "empty"),
    "text.jpg": (b"not an image at all", "not_an_image"),
    "drawing.png": (b"<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>", "not_an_image"),
    "zeros.webp": (bytes(100_000), "not_an_image"),
    "cut.jpg": (picture("JPEG", (640, 480))[:9_000], "corrupt"),
    "cut.png": (picture("PNG", (640, 480))[:900], "corrupt"),
    "endless.jpg": (b"\xff\xd8\xff" + bytes(5_000_000), "corrupt"),
    "giant.jpg": (jpeg_of(65_500, 65_500), "too_many_pixels"),
    "giant.png": (png(65_535, 65_535, b""), "too_many_pixels"),
    "giant.gif": (b"GIF89a\xff\xff\xff\xff" + picture("GIF")[10:], "too_many_pixels"),
    "giant.webp": (b"RIFF\x1a\0\0\0WEBPVP8X" + bytes(8) + b"\xff" * 6 + bytes(8), "too_many_pixels"),
}
"""By name, with the code under which each is in quarantine."""
ARCHIVES = {
    "overlapping.zip": "zip_ratio",
    "ratio.zip": "zip_ratio",
    "lies.zip": "too_large",
    "secret.zip": "encrypted",
    "climbing.zip": "bad_name",
    "nul.cbz": "bad_name",
    "many.zip": "too_many_entries",
}
"""Those whose images are in quarantine, each for this."""
BROKEN = ("huge directory.zip", "half.cbz", "nothing.zip")
"""Those that the scan's report names, since they can't be opened."""


def put_corpus(root: Path) -> None:
    for path in GOOD:
        _write(root / path, picture({"jpg": "JPEG"}.get(path[-3:], path.rpartition(".")[2].upper())))
    for name, (content, _) in IMAGES.items():
        _write(root / "images" / name, content)
    with (root / "images" / "sparse.jpg").open("wb") as sparse:
        sparse.write(b"\xff\xd8\xff")
        sparse.truncate(1024 * 1024 * MIB)
    _write(root / "heavy" / "bomb.png", png_bomb(12_000))  # within the limit of pixels, beyond that of memory
    _write(root / "heavy" / "frames.gif", animated("GIF", frames=2_000))
    _write(root / "heavy" / "fills.bmp", picture("BMP", (3_000, 3_000)))
    _put_archives(root / "archives")
    (root / "special").mkdir()
    put_specials(root / "special")
    (root / "special" / "loop").symlink_to(root)
    put_deep(root, folders=30, name=b"n" * 255, image=b"deep.jpg")


def files_in(root: Path) -> set[str]:
    """All but what is too deep for a path."""
    return {os.path.join(at, name) for at, _, names in os.walk(root) for name in names}  # noqa: PTH118


def mutate(root: Path, *, seed: int, files: int) -> None:
    """Good images and archives with a few bytes changed, or cut off."""
    chance = random.Random(seed)
    forms = [picture(form, (200, 150)) for form in ("JPEG", "PNG", "GIF", "BMP", "WEBP", "AVIF")]
    extensions = ("jpg", "png", "gif", "bmp", "webp", "avif")
    book = zipped(root / "book.zip", {f"{at}.{extensions[at]}": each for at, each in enumerate(forms)})
    whole = book.read_bytes()
    for number in range(files):
        at = chance.randrange(len(forms) + 1)
        content = bytearray(forms[at] if at < len(forms) else whole)
        for _ in range(chance.randrange(1, 9)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        if chance.random() < 0.2:
            del content[chance.randrange(len(content)) :]
        extension = extensions[at] if at < len(forms) else "cbz"
        _write(root / f"{number // 100:04}" / f"{number:06}.{extension}", bytes(content))


def _put_archives(folder: Path) -> None:
    folder.mkdir()
    zipped(folder / "good.cbz", {"1.jpg": picture(), "2.png": picture("PNG")})
    zipped(folder / "ratio.zip", {"1.png": bytes(100 * MIB)}, zipfile.ZIP_DEFLATED)
    put_bomb(folder / "lies.zip", images=3)
    put_encrypted_archive(folder / "secret.zip", "1.png")
    zipped(folder / "climbing.zip", dict.fromkeys(("../1.png", "/2.png", "..\\3.png", "C:\\4.png"), picture("PNG")))
    nul = zipped(folder / "nul.cbz", {"aXb.png": picture("PNG")})
    nul.write_bytes(nul.read_bytes().replace(b"aXb.png", b"a\0b.png"))
    _put_overlapping(folder / "overlapping.zip")
    put_huge_directory(folder / "huge directory.zip")
    half = zipped(folder / "half.cbz", {f"{number}.jpg": picture() for number in range(20)})
    half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
    _write(folder / "nothing.zip", b"PK\x03\x04 and then nothing")
    with zipfile.ZipFile(folder / "many.zip", "w") as archive:
        for number in range(100_001):
            archive.writestr(zipfile.ZipInfo(f"{number:06}.png"), b"")


def _put_overlapping(path: Path) -> None:
    """A thousand entries of its directory that share one kernel of 20 MB of zeros (as zbsm.zip does)."""
    zipped(path, {f"{number:04}.png": b"" for number in range(100)})
    zipped(path.with_suffix(".kernel"), {"0000.png": bytes(20 * MIB)}, zipfile.ZIP_DEFLATED)
    kernel = path.with_suffix(".kernel").read_bytes()
    path.with_suffix(".kernel").unlink()
    start = kernel.index(b"PK\x01\x02")
    entry = bytearray(kernel[start : kernel.index(b"PK\x05\x06")])
    directory = bytearray()
    for number in range(100):
        entry[46:50] = f"{number:04}".encode()
        directory += entry
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 100, 100, len(directory), start, 0)
    path.write_bytes(kernel[:start] + bytes(directory) + end)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def most_memory_kib(pid: int) -> dict[int, int]:
    """The most that a process and its children have had in memory, by id; none of one that is gone."""
    found: dict[int, int] = {}
    for each in (pid, *_children(pid)):
        try:
            status = Path(f"/proc/{each}/status").read_text()
        except OSError:
            continue
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                found[each] = int(line.split()[1])
    return found


def _children(pid: int) -> list[int]:
    try:
        return [
            int(each)
            for thread in Path(f"/proc/{pid}/task").iterdir()
            for each in (thread / "children").read_text().split()
        ]
    except OSError:
        return []
