"""How much room the disk of the data directory has, and from when on nothing new is begun there.

PostgreSQL and NATS cannot be asked to wait for room: one panics without its write-ahead log, the other freezes a stream
until it is started again. So while there is still room, commands are refused, ticks and scans wait, and what has begun
can end. Reads go on.

Limits: another program can fill the disk faster than anybody looks; a quota on the directory is not seen.
"""

import os
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

MIB = 1024 * 1024
GIB = 1024 * MIB
LOW = (1 * GIB, 8)
"""People are told below this, or below this part of a small disk."""
FULL = (512 * MIB, 16)
"""PostgreSQL's write-ahead log takes up to 256 MiB, and as much again while a checkpoint is slow."""
AGAIN = 1.25
"""Times `FULL`: at the very limit, work would begin and be refused in turns."""


class DiskFull(Exception):
    """{sentence}"""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


class Space(Struct, frozen=True):
    """What an ordinary user may still use of one file system, and its size."""

    free_bytes: int
    total_bytes: int

    def limit(self, limit: tuple[int, int]) -> int:
        most, part = limit
        return min(most, self.total_bytes // part)


def measure(path: Path) -> Space:
    """Raises OSError when the directory is gone."""
    found = os.statvfs(path)
    return Space(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


class Disk:
    """Looks each time it is asked (microseconds). Whoever asks gets sentences, None while all is well, and always when
    the servers, and so the disk, are elsewhere (no `path`)."""

    def __init__(self, path: Path | None, look: Callable[[Path], Space] = measure) -> None:
        self._path = path
        self._look = look
        self._full = False

    def full(self) -> str | None:
        """While nothing new may be begun."""
        if self._path is None:
            return None
        space = self._look(self._path)
        enough = space.limit(FULL) * (AGAIN if self._full else 1)
        self._full = space.free_bytes < enough
        if not self._full:
            return None
        return f"the disk of the data directory is full ({_of(space)}): free some space"

    def low(self) -> str | None:
        """While `full` may come soon."""
        if self._path is None:
            return None
        space = self._look(self._path)
        if space.free_bytes >= space.limit(LOW):
            return None
        full = _readable(space.limit(FULL))
        return f"the disk of the data directory is nearly full ({_of(space)}): below {full} no new work is begun"

    def refuse_full(self) -> None:
        """Raises DiskFull."""
        if sentence := self.full():
            raise DiskFull(sentence)

    async def problem(self) -> str | None:
        """For readiness."""
        return self.full()


def because_full(path: Path) -> str:
    """What to add to the sentence of something that failed there; empty when there is room."""
    try:
        full = Disk(path).full()
    except OSError:
        return ""
    return f" Perhaps because {full}." if full else ""


def _of(space: Space) -> str:
    return f"{_readable(space.free_bytes)} free of {_readable(space.total_bytes)}"


def _readable(size_bytes: int) -> str:
    if size_bytes >= 10 * GIB:
        return f"{size_bytes / GIB:.0f} GB"
    return f"{size_bytes / GIB:.1f} GB" if size_bytes >= GIB else f"{size_bytes // MIB} MB"
