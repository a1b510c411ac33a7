"""Walks a folder tree and yields what may be collections, folder by folder. Blocks: call it in a thread.

Paths are bytes, so every name that a disk can hold is walked, and trees deeper than PATH_MAX are. Nothing is opened but
folders. Symbolic links are not followed, and not counted as files; only the root may be one.
"""

import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, nullcontext

from linstock.roots import ANYWHERE, Bounds, Outside
from services.scanner import ignore_file
from services.scanner.images import displayed
from services.scanner.listing import Folder, Stopped, Trouble, list_folder, trouble_of
from services.scanner.opening import below, open_below
from services.scanner.reach import EVERYWHERE, Reach
from services.scanner.remembered import FolderRow, Remembered
from services.scanner.scope import Scope

# Beyond, a path is reported instead of catalogued: it must fit into a page, an index and an answer many times over.
PATH_LIMIT_BYTES = 16 * 1024

EVERYTHING = Scope()


class RootUnavailable(Exception):
    """The library's folder cannot be scanned."""

    def __init__(self, code: str, root: bytes, detail: str) -> None:
        super().__init__(f"The library's folder {displayed(root)[0]} {detail}.")
        self.code = code  # root_missing | root_not_a_directory | root_unreadable | root_not_allowed


def walk(
    root: bytes,
    scope: Scope = EVERYTHING,
    *,
    bounds: Bounds = ANYWHERE,
    stopping: Callable[[], bool] = lambda: False,
    reach: Reach = EVERYWHERE,
    remembered: Remembered | None = None,
) -> Iterator[Folder | FolderRow | Trouble]:
    """Every folder of `scope` in `reach`, siblings in the order of their bytes, parents first; what can't be read, or
    turns out to be outside of `bounds`, as Trouble. A folder that `remembered` answers for comes as its row.

    Holds one folder's image names at a time. Raises RootUnavailable before anything is yielded, and Stopped between
    folders (and within very large ones).
    """
    if stopping():
        raise Stopped
    with _of_root(root):
        os.close(open_below(root, b"", os.O_RDONLY | os.O_DIRECTORY, bounds))
    remembered = remembered or Remembered()
    for stretch in reach.stretches:
        if not scope.looks_into(stretch.path):
            continue
        if trouble := _trouble_above(root, stretch.path):
            yield trouble
            continue
        # Those above a part have their say in it.
        ignore_file.read_above(root, stretch.path, scope.ignores, bounds)
        if not scope.looks_into(stretch.path):
            continue
        waiting = [stretch.path]
        while waiting:
            if stopping():
                raise Stopped
            path = waiting.pop()
            if row := remembered.standing(root, path, scope.ignores.key(path)):
                yield row
                subfolders = row.below()
            else:
                subfolders = yield from _look(root, path, scope, stopping, bounds)
            if stretch.deep:
                waiting += reversed(subfolders)


def is_empty(root: bytes) -> bool:
    """Whether there is nothing at all in a library's folder, or no folder."""
    try:
        with os.scandir(root) as entries:
            return next(entries, None) is None
    except (OSError, ValueError):
        return True


def _look(
    root: bytes, path: bytes, scope: Scope, stopping: Callable[[], bool], bounds: Bounds
) -> Generator[Folder | Trouble, None, list[bytes]]:
    """Yields one folder and what is wrong with it; returns the paths of its subfolders."""
    if len(path) > PATH_LIMIT_BYTES:
        yield Trouble("path_too_long", path, f"The path has more than {PATH_LIMIT_BYTES} bytes.")
        return []
    try:
        with nullcontext() if path else _of_root(root):
            listing = list_folder(root, path, scope, stopping, bounds)
    except OSError as error:
        yield trouble_of(error, path)
        return []
    # First: whoever looks at the folder must know what of it could not be read.
    yield from listing.troubles
    yield listing.folder
    return [below(path, name) for name in listing.folder.subfolders]


def _trouble_above(root: bytes, path: bytes) -> Trouble | None:
    """A walk that begins further down must not be led elsewhere by a link on the way there."""
    for slash in (at for at, byte in enumerate(path) if byte == ord("/")):
        try:
            mode = os.stat(below(root, path[:slash]), follow_symlinks=False).st_mode  # noqa: PTH116 - names may be no UTF-8
        except OSError as error:
            return trouble_of(error, path)
        if not stat.S_ISDIR(mode):
            return Trouble("vanished", path, "What it should be in is no folder.")
    return None


@contextmanager
def _of_root(root: bytes) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, ValueError):  # ValueError: a NUL in the path, which no folder has
        raise RootUnavailable("root_missing", root, "does not exist") from None
    except NotADirectoryError:
        raise RootUnavailable("root_not_a_directory", root, "is not a folder") from None
    except Outside as outside:
        where = "" if outside.real == root else f": it is {displayed(outside.real)[0]}"
        detail = f"lies outside of the folders that libraries are allowed in{where}"
        raise RootUnavailable("root_not_allowed", root, detail) from outside
    except OSError as error:
        raise RootUnavailable("root_unreadable", root, f"can't be read: {error.strerror}") from error
