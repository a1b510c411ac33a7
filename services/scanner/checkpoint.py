"""How far a scan has come, so that the attempt after one that died or was paused need not look at everything again.

A checkpoint is one path. It says: every folder up to there, in the order of the walk, that has a row was compared by
this very scan, and is as the row says. Folders without a row are looked at again.
"""

import time
from collections.abc import Callable
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

# Between two checkpoints: a fiftieth of the time since the walk began, within these bounds.
SHORTEST_S = 0.03
LONGEST_S = 2.0
SHARE = 50


class Checkpoint(Struct, frozen=True, kw_only=True):
    """`file_system` is that of the root; on another one nothing counts."""

    scan_id: UUID
    file_system: str
    through: bytes


class SoFar(Struct, frozen=True, array_like=True):
    """What one scan has recorded, all its attempts together: collections that were `added`, those that were `finished`
    (added or changed), collections and images marked `missing`, collections that were `restored` and `moved`, and
    images that were `moved` singly."""

    scan_id: UUID | None = None
    added: int = 0
    finished: int = 0
    missing: int = 0
    restored: int = 0
    moved: int = 0
    moved_images: int = 0

    @property
    def changed(self) -> int:
        """Less than 0 where a collection was added whose last images were not recorded."""
        return self.finished - self.added

    def of(self, scan_id: UUID) -> "SoFar":
        """Nothing, if this is another scan's."""
        return self if self.scan_id == scan_id else SoFar(scan_id)

    def page(self, scan_id: UUID, *, added: int, finished: int) -> "SoFar":
        mine = self.of(scan_id)
        return replace(mine, added=mine.added + added, finished=mine.finished + finished)

    def marked(self, scan_id: UUID, count: int) -> "SoFar":
        mine = self.of(scan_id)
        return replace(mine, missing=mine.missing + count)

    def found_elsewhere(self, scan_id: UUID, count: int) -> "SoFar":
        mine = self.of(scan_id)
        return replace(mine, moved=mine.moved + count)

    def found_images_elsewhere(self, scan_id: UUID, count: int) -> "SoFar":
        mine = self.of(scan_id)
        return replace(mine, moved_images=mine.moved_images + count)

    def brought_back(self, scan_id: UUID, count: int) -> "SoFar":
        mine = self.of(scan_id)
        return replace(mine, restored=mine.restored + count)


encode = msgspec.msgpack.Encoder().encode
_DECODER = msgspec.msgpack.Decoder(SoFar)


def decode(stored: bytes | None) -> SoFar:
    return _DECODER.decode(stored) if stored else SoFar()


def order(path: bytes) -> bytes:
    """Ascends as a walk goes: parents first, siblings by their bytes. No name holds a NUL."""
    return path.replace(b"/", b"\0")


class Pace:
    """When the next checkpoint is due."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._began_s = self._last_s = now_s()

    def due(self) -> bool:
        """True once for each."""
        now = self._now_s()
        wait_s = min(LONGEST_S, max(SHORTEST_S, (now - self._began_s) / SHARE))
        if now - self._last_s < wait_s:
            return False
        self._last_s = now
        return True
