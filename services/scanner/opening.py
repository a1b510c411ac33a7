"""Opens what a walk has found, however long its path is. Blocks."""

import os
from collections.abc import Iterator

from linstock.roots import ANYWHERE, Bounds

# PATH_MAX of Linux is 4096 with the NUL; deeper trees exist and are opened piece by piece.
LONGEST_BYTES = 4000


def open_below(root: bytes, path: bytes, flags: int, bounds: Bounds = ANYWHERE) -> int:
    """A descriptor of `path` (relative, b"" for the root itself). Only the root may be a symbolic link, or lie behind
    one. Raises OSError, of which Outside says that it is not in `bounds`, and ValueError for a root with a NUL."""
    descriptor = _open_below(root, path, flags)
    try:
        bounds.check(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _open_below(root: bytes, path: bytes, flags: int) -> int:
    flags |= os.O_CLOEXEC | (os.O_NOFOLLOW if path else 0)
    whole = below(root, path) if path else root
    if len(whole) <= LONGEST_BYTES:
        return os.open(whole, flags)
    at = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        pieces = list(_pieces(path))
        for piece in pieces[:-1]:
            further = os.open(piece, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = further
        return os.open(pieces[-1], flags, dir_fd=at)
    finally:
        os.close(at)


def below(path: bytes, name: bytes) -> bytes:
    """The path of `name` in the folder `path`."""
    return path + b"/" + name if path else name


def _pieces(path: bytes) -> Iterator[bytes]:
    """`path` cut at slashes into pieces that the kernel takes."""
    while len(path) > LONGEST_BYTES:
        # A name has at most 255 bytes, so there is a slash.
        cut = path.rindex(b"/", 0, LONGEST_BYTES)
        yield path[:cut]
        path = path[cut + 1 :]
    yield path
