"""A file of nothing, given back when another program has filled the disk to the last byte.

PostgreSQL does not start, nor NATS, where they cannot write at all. With this room they do, so that reads go on until
somebody frees more.
"""

import contextlib
import os
from pathlib import Path

from linstock.disk import AGAIN, FULL, MIB, measure

MOST = (64 * MIB, 32)
LEFT = 4  # given back when less than this part of it is free


class Ballast:
    """Kept from `look` to `look`. Nothing is promised: a file system may not keep room for zeros."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ballast"

    def look(self) -> bool:
        """Give it back, or take it when there is plenty. True when it has just been given back."""
        space = measure(self._file.parent)
        size_bytes = space.limit(MOST)
        if self._file.exists():
            if space.free_bytes >= size_bytes // LEFT:
                return False
            self._file.unlink(missing_ok=True)
            return True
        if space.free_bytes > space.limit(FULL) * AGAIN + 2 * size_bytes:
            self._take(size_bytes)
        return False

    def _take(self, size_bytes: int) -> None:
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size_bytes)
        except OSError:  # not on this file system, or gone meanwhile
            with contextlib.suppress(OSError):
                self._file.unlink()
        finally:
            os.close(descriptor)
