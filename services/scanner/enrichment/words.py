"""What a scanner and its reading process say to each other: frames of MessagePack over two pipes."""

from typing import BinaryIO

import msgspec
from msgspec import Struct

LARGEST_FRAME_BYTES = 8 * 1024 * 1024
LENGTH_BYTES = 4
READY = b"\0\0\0\0"
"""The first that a reading process says: an empty frame."""

GONE = "gone"
CHANGED = "changed"
UNREADABLE = "unreadable"
TRANSIENT = frozenset({GONE, CHANGED, UNREADABLE})
"""Codes that say nothing of the file's bytes."""


class Place(Struct, frozen=True):
    """A collection on disk. `archive`: its size and time, so that it is known to be the one that was recorded."""

    root: bytes
    path: bytes
    archive: tuple[int, int] | None
    allowed: tuple[bytes, ...] | None  # `Bounds.real_roots`


class File(Struct, frozen=True, array_like=True):
    """An image as it was recorded."""

    name: bytes
    size_bytes: int
    mtime_ns: int


class Look(Struct, frozen=True, tag=True):
    """Answered by one Looked for each file, in order."""

    place: Place
    files: list[File]


class Draw(Struct, frozen=True, tag=True):
    """Make thumbnails. Answered by one Drawn."""

    place: Place
    file: File


class Looked(Struct, frozen=True, array_like=True):
    """A size, or a code and what it means. `archive`: it is said of the archive as a whole."""

    width: int = 0
    height: int = 0
    code: str = ""
    message: str = ""
    archive: bool = False


class Drawn(Struct, frozen=True):
    """WebP by the pixels of the longest side. No `code` and none made: it takes too much memory."""

    looked: Looked
    hash: str = ""
    made: dict[int, bytes] = {}


Request = Look | Draw

requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
looked: msgspec.msgpack.Decoder[Looked] = msgspec.msgpack.Decoder(Looked)
drawn: msgspec.msgpack.Decoder[Drawn] = msgspec.msgpack.Decoder(Drawn)


def frame(message: Struct) -> bytes:
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def next_frame(pipe: BinaryIO) -> bytes | None:
    """None at the end. Blocks."""
    length = pipe.read(LENGTH_BYTES)
    if len(length) < LENGTH_BYTES:
        return None
    size = int.from_bytes(length, "big")
    body = pipe.read(size)
    return body if len(body) == size else None
