"""Reads .linstockignore files. Blocks. Only regular files, and never through a link."""

import contextlib
import os
import stat

from linstock.roots import Bounds
from services.scanner.ignores import LIMIT_BYTES, NAME, BadIgnoreFile, Ignores
from services.scanner.opening import open_below

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read(folder: int) -> bytes:
    """The one in an open folder, at most a byte more than may be. Raises OSError, BadIgnoreFile."""
    descriptor = os.open(NAME, _FLAGS, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadIgnoreFile("it is no regular file.")
        chunks, left = [], LIMIT_BYTES + 1
        while left and (chunk := os.read(descriptor, left)):
            chunks.append(chunk)
            left -= len(chunk)
        return b"".join(chunks)
    finally:
        os.close(descriptor)


def read_above(root: bytes, path: bytes, ignores: Ignores, bounds: Bounds) -> None:
    """Those of all folders above `path`. What is wrong with one is told when its own folder is looked at."""
    ends = [at for at, byte in enumerate(path) if byte == ord("/")]
    for above in (b"", *(path[:end] for end in ends)) if path else ():
        with contextlib.suppress(OSError, BadIgnoreFile):
            folder = open_below(root, above, os.O_RDONLY | os.O_DIRECTORY, bounds)
            try:
                ignores.add(above, read(folder))
            finally:
                os.close(folder)
