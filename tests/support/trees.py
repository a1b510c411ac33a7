"""Real folder trees with real, tiny image files, for whoever scans."""

import struct
import zipfile
import zlib
from pathlib import Path


def png() -> bytes:
    """A valid PNG of one black pixel."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\x00\x00")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def gif() -> bytes:
    """A valid GIF of one pixel."""
    return bytes.fromhex("47494638396101000100800000000000ffffff2c00000000010001000002024401003b")


def jpeg() -> bytes:
    """The shortest baseline JPEG: one grey pixel."""
    return bytes.fromhex(
        "ffd8ffe000104a46494600010100000100010000"
        "ffdb004300" + "01" * 64 + "ffc0000b080001000101011100"
        "ffc40014000100000000000000000000000000000003"
        "ffc40014100100000000000000000000000000000000"
        "ffda0008010100003f0037ffd9"
    )


def image(name: str) -> bytes:
    """Bytes that fit the name's suffix; PNG for what has no maker here (only names and sizes matter then)."""
    suffix = name.rpartition(".")[2].lower()
    return {"jpg": jpeg, "jpeg": jpeg, "gif": gif}.get(suffix, png)()


def put(root: Path, *paths: str) -> None:
    """Image files at these paths below `root`, with their folders."""
    for path in paths:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(image(path))


def put_archive(path: Path, *names: str) -> None:
    """A zip that holds images (and whatever else is named) at these names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), image(name))


def put_broken_archive(path: Path) -> None:
    """A zip that was cut off in the middle of its directory."""
    put_archive(path, "a.png", "b.png")
    path.write_bytes(path.read_bytes()[:-30])


def put_many(root: Path, *, folders: int, images: int) -> None:
    """`folders` folders of `images` empty image files each: a large tree quickly."""
    for number in range(folders):
        folder = root / f"folder-{number:05}"
        folder.mkdir(parents=True, exist_ok=True)
        for image_number in range(images):
            (folder / f"image-{image_number:05}.jpg").touch()
