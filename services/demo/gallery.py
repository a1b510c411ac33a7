"""The demo's folder: real images in nested folders with names in five scripts, archives, and two things that fail."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 320, 240
ALBUMS = {
    "Holidays/Lisbon": ("jpg", 8),
    "Holidays/Lisbon/Day 2": ("jpg", 6),
    "Holidays/Zürich": ("png", 6),
    "Фотографии/Байкал": ("jpg", 8),
    "照片/长城": ("webp", 8),
    "صور/القاهرة": ("jpg", 8),
    "चित्र/हिमालय": ("png", 8),
    "Scans/1987/Grandparents": ("bmp", 4),
    "Scans/1987/Stickers": ("gif", 4),
}
"""By folder: the images' suffix, and how many there are."""

ARCHIVES = {"Comics/Nautilus.cbz": 12, "Backup/old phone.zip": 9}
BROKEN = "Backup/half copied.zip"
CLOSED = "Private"
_FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "bmp": "BMP", "gif": "GIF"}


def make(root: Path) -> None:
    """What is there already stays as it is, so that a second demo changes nothing."""
    for number, (folder, (suffix, count)) in enumerate(ALBUMS.items()):
        for index in range(count):
            _write(root / folder / f"{index + 1:02}.{suffix}", _image(suffix, number, index))
    for number, (name, count) in enumerate(ARCHIVES.items()):
        _write(root / name, _archive(number, count))
    _write(root / BROKEN, _archive(len(ARCHIVES), 5)[:-400])
    closed = root / CLOSED
    if not closed.exists():
        closed.mkdir()
        closed.chmod(0)


def readable(root: Path) -> bool:
    """Whether the closed folder is open to this user after all, as everything is to root."""
    try:
        next((root / CLOSED).iterdir(), None)
    except PermissionError:
        return False
    return True


def _write(path: Path, content: bytes) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _image(suffix: str, album: int, index: int) -> bytes:
    """A sun over hills; each album has its colours, each image its time of day."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(image)
    for row in range(HEIGHT):
        shade = row * 160 // HEIGHT
        draw.line((0, row, WIDTH, row), fill=((album * 53 + shade) % 256, (90 + shade // 2) % 256, 220 - shade // 2))
    left = 20 + index * 30
    draw.ellipse((left, 40, left + 50, 90), fill=(255, 220, 90))
    for hill, height in enumerate(_hills(album, index)):
        draw.ellipse((hill * 90 - 60, HEIGHT - height, hill * 90 + 140, HEIGHT + height), fill=(30, 90 + hill * 25, 60))
    content = io.BytesIO()
    image.save(content, _FORMATS[suffix])
    return content.getvalue()


def _hills(album: int, index: int) -> Iterator[int]:
    return (50 + (album * 17 + index * 11 + hill * 29) % 60 for hill in range(4))


def _archive(number: int, count: int) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for index in range(count):
            archive.writestr(zipfile.ZipInfo(f"page {index + 1:02}.jpg"), _image("jpg", 20 + number, index))
    return content.getvalue()
