"""Where libraries may be, when the operator confines them. Blocks: call it in a thread.

Asked when a library is made or moved (by name, since the folder need not exist yet), and again of everything that a
scan opens (by descriptor, after opening: no link can be swapped in between). What this can't see: files that are hard
links, or disks that are mounted into an allowed folder, count as being there; and whoever may replace an allowed folder
itself, or one above it, says where it is. Below an allowed folder paths beyond 4096 bytes are not read: the kernel does
not say where they are.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct


class Outside(OSError):
    """It leads outside of the folders that libraries are allowed in"""

    def __init__(self, real: bytes) -> None:
        super().__init__(None, self.__doc__)
        self.strerror = self.__doc__
        self.real = real


class Bounds(Struct, frozen=True):
    """The allowed folders with their symbolic links resolved, as they were at one moment. None: everywhere."""

    real_roots: tuple[bytes, ...] | None = None

    def hold(self, real: bytes) -> bool:
        """Whether a path without symbolic links is in one of them."""
        return self.real_roots is None or any(_lies_in(real, root) for root in self.real_roots)

    def check(self, descriptor: int) -> None:
        """Raises Outside when the open file or folder is elsewhere.

        The kernel is asked where it is, after it was opened: whatever links were swapped before, what is read next is
        what was checked.
        """
        if self.real_roots is None:
            return
        real = os.readlink(b"/proc/self/fd/%d" % descriptor)  # noqa: PTH115 - names may be no UTF-8
        if not self.hold(real):
            raise Outside(real)


ANYWHERE = Bounds()


class AllowedRoots:
    """Folders that need not exist yet. No folders: everywhere."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(roots)

    @property
    def confine(self) -> bool:
        return bool(self._roots)

    def bounds(self) -> Bounds:
        """As the disks are now."""
        return Bounds(tuple(os.path.realpath(os.fsencode(root)) for root in self._roots)) if self._roots else ANYWHERE

    def refusal(self, path: str) -> str | None:
        """Why a folder, which need not exist, can't be a library's: the end of a sentence. None: it can."""
        real = os.path.realpath(path) if self._roots else path
        return None if self.bounds().hold(os.fsencode(real)) else f"{real} is not in {self}"

    def __str__(self) -> str:
        return f"a folder that libraries are allowed in ({', '.join(map(str, self._roots))})"


EVERYWHERE = AllowedRoots(())


def _lies_in(inner: bytes, outer: bytes) -> bool:
    """Also when both are the same folder."""
    return inner == outer or inner.startswith(outer.rstrip(b"/") + b"/")
