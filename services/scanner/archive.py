"""Reads which images a zip archive holds, from its central directory only. Nothing is extracted. Blocks.

Its own reader rather than `zipfile`: that loads a directory of any size before it can be refused, makes an object for
each entry, and decodes names, which are identity here and stay bytes.
"""

import calendar
import os
import stat
import struct
from collections.abc import Iterator

from services.scanner.images import Images, from_rows
from services.scanner.walk import IMAGE_SUFFIXES

MAX_DIRECTORY_BYTES = 64 * 1024 * 1024
MAX_ENTRIES = 500_000
MAX_NAME_BYTES = 4096

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_LONGEST_COMMENT = 65535
_ZIP64 = 0xFFFFFFFF


class BrokenArchive(Exception):
    """The archive's directory can't be read."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"{self.__doc__} {detail}")
        self.detail = detail


def images_in(path: bytes) -> Images:
    """Its images, by name within the archive; sizes are uncompressed, times as the archive has them, taken as UTC.

    Raises BrokenArchive for what is no readable zip or is beyond the limits, OSError when the file can't be read.
    """
    # Non-blocking and no links: what was a file when it was listed may be a pipe now.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise BrokenArchive("It is not a regular file any more.")
        directory, entries = _directory(descriptor, status.st_size)
        return from_rows(_images(directory, entries))
    finally:
        os.close(descriptor)


def _directory(descriptor: int, size: int) -> tuple[bytes, int]:
    """The central directory, and how many entries it has."""
    tail_start = max(0, size - _END.size - _LONGEST_COMMENT)
    tail = _read(descriptor, tail_start, size - tail_start)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise BrokenArchive("It has no end record: it is cut off, or no zip.")
    _, disk, first_disk, _, entries, length, offset, _ = _END.unpack_from(tail, at)
    end = tail_start + at
    if entries == 0xFFFF or _ZIP64 in (length, offset):
        end, disk, first_disk, entries, length = _end_64(descriptor, end, (disk, first_disk, entries, length))
    if disk or first_disk:
        raise BrokenArchive("It is one of several parts.")
    if length > MAX_DIRECTORY_BYTES or entries > MAX_ENTRIES:
        raise BrokenArchive(f"Its directory is too large: {entries} entries, {length} bytes.")
    # Where it ends is certain; the offset is off by whatever precedes the archive in the file.
    if length > end:
        raise BrokenArchive("Its directory would begin before the file does.")
    return _read(descriptor, end - length, length), entries


def _end_64(descriptor: int, end: int, small: tuple[int, int, int, int]) -> tuple[int, int, int, int, int]:
    """Where the directory ends, both disks, entries and length; from the larger record if there is one."""
    at = end - _LOCATOR.size
    locator = _read(descriptor, at, _LOCATOR.size) if at >= 0 else b""
    if not locator.startswith(b"PK\x06\x07"):
        return end, *small
    at -= _END_64.size
    record = _read(descriptor, at, _END_64.size) if at >= 0 else b""
    if not record.startswith(b"PK\x06\x06"):
        raise BrokenArchive("Its zip64 end record is missing.")
    _, _, _, _, disk, first_disk, _, entries, length, _ = _END_64.unpack(record)
    return at, disk, first_disk, entries, length


def _images(directory: bytes, entries: int) -> Iterator[tuple[bytes, int, int]]:
    at = 0
    for _ in range(entries):
        if at + _ENTRY.size > len(directory) or directory[at : at + 4] != b"PK\x01\x02":
            raise BrokenArchive("Its directory is damaged.")
        fields = _ENTRY.unpack_from(directory, at)
        time, date, size = fields[7], fields[8], fields[11]
        name_length, extra_length, comment_length = fields[12:15]
        start = at + _ENTRY.size
        name = directory[start : start + name_length]
        extra = directory[start + name_length : start + name_length + extra_length]
        at = start + name_length + extra_length + comment_length
        if at > len(directory) or name_length > MAX_NAME_BYTES:
            raise BrokenArchive("Its directory is damaged.")
        if name.lower().endswith(IMAGE_SUFFIXES):
            yield name, _size_64(extra) if size == _ZIP64 else size, _time_ns(date, time)


def _size_64(extra: bytes) -> int:
    """The uncompressed size comes first in the zip64 extra field."""
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, at)
        if tag == 1 and length >= 8 and at + 12 <= len(extra):
            size: int = struct.unpack_from("<Q", extra, at + 4)[0]
            return min(size, 2**63 - 1)
        at += 4 + length
    return _ZIP64


def _time_ns(date: int, time: int) -> int:
    """0 for a date that does not exist."""
    month, day = date >> 5 & 15, date & 31
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return 0
    moment = ((date >> 9) + 1980, month, day, time >> 11, time >> 5 & 63, (time & 31) * 2)
    return calendar.timegm((*moment, 0, 0, 0)) * 1_000_000_000


def _read(descriptor: int, offset: int, length: int) -> bytes:
    parts = []
    while length > 0:
        part = os.pread(descriptor, length, offset)
        if not part:
            raise BrokenArchive("It ends before its directory does.")
        parts.append(part)
        offset += len(part)
        length -= len(part)
    return b"".join(parts)
