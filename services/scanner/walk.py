"""Walks a folder tree and yields what may be collections, folder by folder. Blocks: call it in a thread.

Paths are bytes, so every name that a disk can hold is walked, and trees deeper than PATH_MAX are. Nothing is opened but
folders. Symbolic links are not followed, and not counted as files; only the root may be one.
"""

from collections.abc import Callable, Iterator

from linstock.roots import ANYWHERE, Bounds, Outside
from services.scanner.images import displayed
from services.scanner.listing import Folder, Listing, Stopped, Trouble, list_folder, trouble_of
from services.scanner.opening import below
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
) -> Iterator[Folder | Trouble]:
    """Every folder of `scope`, siblings in the order of their bytes, parents first; what can't be read, or turns out to
    be outside of `bounds`, as Trouble.

    Holds one folder's image names at a time. Raises RootUnavailable before anything is yielded, and Stopped between
    folders (and within very large ones).
    """
    if stopping():
        raise Stopped
    listing = _list_root(root, scope, stopping, bounds)
    waiting: list[bytes] = []
    while True:
        folder = listing.folder
        # First: whoever looks at the folder must know what of it could not be read.
        yield from listing.troubles
        yield folder
        waiting.extend(below(folder.path, name) for name in reversed(listing.subfolders))
        while waiting:
            if stopping():
                raise Stopped
            path = waiting.pop()
            if len(path) > PATH_LIMIT_BYTES:
                yield Trouble("path_too_long", path, f"The path has more than {PATH_LIMIT_BYTES} bytes.")
                continue
            try:
                listing = list_folder(root, path, scope, stopping, bounds)
                break
            except OSError as error:
                yield trouble_of(error, path)
        else:
            return


def _list_root(root: bytes, scope: Scope, stopping: Callable[[], bool], bounds: Bounds) -> Listing:
    try:
        return list_folder(root, b"", scope, stopping, bounds)
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
