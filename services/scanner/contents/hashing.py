"""The hash of a file, read once from end to end. Blocks: call it in a thread."""

import os
import stat
from collections.abc import Callable
from hashlib import sha256

from linstock.roots import Bounds
from services.scanner.listing import Stopped
from services.scanner.opening import open_below

CHUNK_BYTES = 1024 * 1024


class OtherBytes(Exception):
    """The file is not (any more) the one that was recorded: nothing is said of it."""


def hash_of(
    root: bytes,
    path: bytes,
    *,
    size_bytes: int,
    mtime_ns: int,
    bounds: Bounds,
    stopping: Callable[[], bool],
    read: Callable[[int], None],
) -> bytes:
    """SHA-256. `read` is told of each chunk's bytes. Raises OtherBytes, OSError, and Stopped within one chunk."""
    descriptor = open_below(root, path, os.O_RDONLY | os.O_NONBLOCK, bounds)
    try:
        _must_be(descriptor, size_bytes, mtime_ns)
        digest, done = sha256(), 0
        while chunk := os.read(descriptor, CHUNK_BYTES):
            if stopping():
                raise Stopped
            digest.update(chunk)
            done += len(chunk)
            read(len(chunk))
            # Read once and never again: what others want to find in the page cache stays there.
            os.posix_fadvise(descriptor, 0, done, os.POSIX_FADV_DONTNEED)
        if done != size_bytes:
            raise OtherBytes
        _must_be(descriptor, size_bytes, mtime_ns)
        return digest.digest()
    finally:
        os.close(descriptor)


def _must_be(descriptor: int, size_bytes: int, mtime_ns: int) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or (status.st_size, status.st_mtime_ns) != (size_bytes, mtime_ns):
        raise OtherBytes
