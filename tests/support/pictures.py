"""Images and archives made by the tests themselves, the good and the hostile."""

import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

EXTENSION_FORMATS = {"jpg": "JPEG", "png": "PNG", "gif": "GIF", "bmp": "BMP", "webp": "WEBP", "avif": "AVIF"}


def picture(form: str = "JPEG", size: tuple[int, int] = (64, 48), *, mode: str = "RGB", **options: Any) -> bytes:
    """A gradient, so that no two rows are alike."""
    gradient = Image.linear_gradient("L").resize(size)
    image = gradient.convert("I").point(lambda value: value * 257.0).convert("I;16") if mode == "I;16" else None
    encoded = BytesIO()
    (image or gradient.convert(mode)).save(encoded, form, **options)
    return encoded.getvalue()


def animated(form: str, frames: int = 5) -> bytes:
    shades = [Image.new("RGB", (40, 30), (50 * number, 90, 10)) for number in range(frames)]
    encoded = BytesIO()
    shades[0].save(encoded, form, save_all=True, append_images=shades[1:], duration=50)
    return encoded.getvalue()


def png(width: int, height: int, rows: bytes) -> bytes:
    """8 bits of gray; `rows` are compressed as they are, whatever the header says."""
    header = struct.pack(">2L5B", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def png_bomb(edge: int) -> bytes:
    """A few kilobytes that decode to edge × edge bytes (of zeros)."""
    return png(edge, edge, bytes((edge + 1) * edge))


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG whose header says so, whatever follows."""
    small = bytearray(picture("JPEG"))
    at = small.index(b"\xff\xc0")
    struct.pack_into(">2H", small, at + 5, height, width)
    return bytes(small)


def zipped(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return path


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))
