"""Reads which images a zip archive holds, from its central directory only. Nothing is extracted. Blocks."""

import calendar
import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from io import FileIO

from linstock.roots import ANYWHERE, Bounds
from services.scanner.images import Images, from_rows
from services.scanner.opening import open_below
from services.scanner.scope import IMAGE_SUFFIXES

MAX_DIRECTORY_BYTES = 16 * 1024 * 1024  # about 150,000 entries; an object is made of each
MAX_NAME_BYTES = 4096

_UTF8_NAME = 0x800  # general purpose flag bit 11

# A damaged directory fails in whatever way its bytes happen to suggest.
DAMAGE = (zipfile.BadZipFile, struct.error, NotImplementedError, ValueError, EOFError, IndexError, OverflowError)


class BrokenArchive(Exception):
    """The archive's directory can't be read."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"{self.__doc__} {detail}")
        self.detail = detail


class BoundedFile(FileIO):
    """zipfile reads the whole directory at once, however large its end record says it is."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY_BYTES:
            raise BrokenArchive(f"Its directory is too large: {size} bytes.")
        return super().read(size) or b""


def images_in(root: bytes, path: bytes, bounds: Bounds = ANYWHERE) -> Images:
    """The images of the archive `path` below `root`, by name within it; sizes are uncompressed, times as the archive
    has them, taken as UTC.

    Raises BrokenArchive for what is no readable zip or is beyond the limits, OSError when the file can't be read.
    """
    with BoundedFile(open_archive(root, path, bounds)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise BrokenArchive("It is not a regular file any more.")
        try:
            with zipfile.ZipFile(file) as archive:
                return from_rows(_images(archive))
        except DAMAGE as error:
            raise BrokenArchive(str(error) or type(error).__name__) from error


def open_archive(root: bytes, path: bytes, bounds: Bounds) -> int:
    """A descriptor for BoundedFile."""
    # Non-blocking and no links: what was a file when it was listed may be a pipe now.
    return open_below(root, path, os.O_RDONLY | os.O_NONBLOCK, bounds)


def _images(archive: zipfile.ZipFile) -> Iterator[tuple[bytes, int, int]]:
    for entry in archive.infolist():
        name = stored_name(entry)
        if len(name) > MAX_NAME_BYTES:
            raise BrokenArchive("A name in its directory is too long.")
        if name.lower().endswith(IMAGE_SUFFIXES):
            yield name, min(entry.file_size, 2**63 - 1), _time_ns(entry)


def stored_name(entry: zipfile.ZipInfo) -> bytes:
    """As stored: names are identity here. zipfile decodes what is not marked as UTF-8 as cp437, without loss."""
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & _UTF8_NAME else "cp437")


def _time_ns(entry: zipfile.ZipInfo) -> int:
    """0 for a date that does not exist."""
    _, month, day = entry.date_time[:3]
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return 0
    return calendar.timegm((*entry.date_time, 0, 0, 0)) * 1_000_000_000
