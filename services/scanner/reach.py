"""Which part of a library one scan looks at: all of it, or some folders and files."""

import os
import stat
from collections.abc import Iterable

from msgspec import Struct

from services.scanner.checkpoint import order
from services.scanner.opening import below
from services.scanner.scope import ARCHIVE_SUFFIXES, FOLDER, IMAGE_SUFFIXES


class Stretch(Struct, frozen=True):
    """A folder, with all that lies below it or alone (then with the archives in it)."""

    path: bytes
    deep: bool

    def holds(self, kind: str, path: bytes) -> bool:
        folder = path if kind == FOLDER else path.rpartition(b"/")[0]
        return folder == self.path or (self.deep and (_lies_below(folder, self.path) or path == self.path))


class Reach(Struct, frozen=True):
    """None of `stretches` lies in another. Only what a reach holds can be absent."""

    stretches: tuple[Stretch, ...] = (Stretch(b"", True),)

    @property
    def whole(self) -> bool:
        return self == EVERYWHERE

    def holds(self, kind: str, path: bytes) -> bool:
        """A collection."""
        return any(stretch.holds(kind, path) for stretch in self.stretches)


EVERYWHERE = Reach()


def resolve(root: bytes, paths: Iterable[bytes]) -> Reach:
    """A folder stands for all that lies below it, a file for the folder that it is in. What is not there (any more) is
    a file if it is named like one. No paths: everywhere. Blocks."""
    wanted = sorted({_stretch(root, path) for path in paths}, key=lambda each: (order(each.path), not each.deep))
    kept: list[Stretch] = []
    for stretch in wanted:
        if not any(other.holds(FOLDER, stretch.path) for other in kept):
            kept.append(stretch)
    return Reach(tuple(kept)) if kept else EVERYWHERE


def _stretch(root: bytes, path: bytes) -> Stretch:
    try:
        mode = os.lstat(below(root, path)).st_mode if path else stat.S_IFDIR
    except OSError:
        mode = 0
    named_like_one = path.lower().endswith(IMAGE_SUFFIXES + ARCHIVE_SUFFIXES)
    if stat.S_ISREG(mode) or (not mode and named_like_one):
        return Stretch(path.rpartition(b"/")[0], deep=False)
    return Stretch(path, deep=True)


def _lies_below(path: bytes, folder: bytes) -> bool:
    return not folder or path.startswith(folder + b"/")
