"""Walks a folder tree and yields what may be collections, folder by folder. Blocks: call it in a thread.

Paths are bytes, so every name that a disk can hold is walked. Nothing is opened but folders. Symbolic links are not
followed, and not counted as files; only the root may be one.
"""

import errno
import os
import stat
import sys
from array import array
from collections.abc import Callable, Iterator

from msgspec import Struct

from services.scanner.images import Images, displayed

IMAGE_SUFFIXES = (b".jpg", b".jpeg", b".png", b".gif", b".bmp", b".webp", b".avif")
ARCHIVE_SUFFIXES = (b".zip", b".cbz")
STOP_EVERY = 4096

_ENCODING = sys.getfilesystemencoding()


class ArchiveFile(Struct, frozen=True):
    path: bytes  # relative to the root
    size_bytes: int
    mtime_ns: int


class Folder(Struct, frozen=True):
    """`path` is relative to the root, b"" for the root. `images` are direct children; `files` counts all regular
    ones, `entries` all that the folder holds."""

    path: bytes
    images: Images
    archives: tuple[ArchiveFile, ...]
    files: int
    symlinks: int
    entries: int


class Trouble(Struct, frozen=True):
    """Something below the root that could not be read. `code` is unreadable | vanished | broken_archive."""

    code: str
    path: bytes
    message: str


class RootUnavailable(Exception):
    """The library's folder cannot be scanned."""

    def __init__(self, code: str, root: bytes, detail: str) -> None:
        super().__init__(f"The library's folder {displayed(root)[0]} {detail}.")
        self.code = code  # root_missing | root_not_a_directory | root_unreadable


class Stopped(Exception):
    """The walk was told to stop."""


def walk(
    root: bytes, *, include_subfolders: bool = True, stopping: Callable[[], bool] = lambda: False
) -> Iterator[Folder | Trouble]:
    """Every folder in the order of its path's bytes, parents first; what can't be read as Trouble.

    Holds one folder's image names at a time. Raises RootUnavailable before anything is yielded, and Stopped between
    folders (and within very large ones).
    """
    waiting: list[bytes] = []
    listing = _Listing(stopping)
    if stopping():
        raise Stopped
    folder, subfolders = listing.read_root(root)
    while True:
        yield folder
        yield from listing.take_troubles()
        if include_subfolders:
            waiting.extend(below(folder.path, name) for name in reversed(subfolders))
        while waiting:
            if stopping():
                raise Stopped
            path = waiting.pop()
            try:
                folder, subfolders = listing.read(below(root, path), path)
                break
            except OSError as error:
                yield trouble_of(error, path)
        else:
            return


def trouble_of(error: OSError, path: bytes) -> Trouble:
    reason = error.strerror or type(error).__name__
    # ENOTDIR and ELOOP: replaced by something else after its parent was listed.
    gone = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE)
    return Trouble("vanished" if gone else "unreadable", path, f"{reason}.")


class _Listing:
    """Reads folders one by one, and keeps the troubles with their children until they are taken."""

    def __init__(self, stopping: Callable[[], bool]) -> None:
        self._stopping = stopping
        self._troubles: list[Trouble] = []

    def take_troubles(self) -> list[Trouble]:
        taken, self._troubles = self._troubles, []
        return taken

    def read_root(self, root: bytes) -> tuple[Folder, list[bytes]]:
        try:
            return self.read(root, b"", follow=True)
        except (FileNotFoundError, ValueError):  # ValueError: a NUL in the path, which no folder has
            raise RootUnavailable("root_missing", root, "does not exist") from None
        except NotADirectoryError:
            raise RootUnavailable("root_not_a_directory", root, "is not a folder") from None
        except OSError as error:
            raise RootUnavailable("root_unreadable", root, f"can't be read: {error.strerror}") from error

    def read(self, full: bytes, path: bytes, *, follow: bool = False) -> tuple[Folder, list[bytes]]:
        """The folder, and the names of its subfolders in order. Raises OSError."""
        # The descriptor keeps a folder that is swapped for a link from leading elsewhere, and makes stat cheap.
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        descriptor = os.open(full, flags)
        try:
            return self._read_open(descriptor, path)
        finally:
            os.close(descriptor)

    def _read_open(self, descriptor: int, path: bytes) -> tuple[Folder, list[bytes]]:
        subfolders: list[bytes] = []
        images: list[bytes] = []
        archives: list[bytes] = []
        files = symlinks = entries = 0
        with os.scandir(descriptor) as found:
            for entry in found:
                entries += 1
                if entries % STOP_EVERY == 0 and self._stopping():
                    raise Stopped
                # What os.fsencode does, without its checks: this line runs for every file there is.
                name = entry.name.encode(_ENCODING, "surrogateescape")
                try:
                    if entry.is_file(follow_symlinks=False):
                        files += 1
                        lowered = name.lower()
                        if lowered.endswith(IMAGE_SUFFIXES):
                            images.append(name)
                        elif lowered.endswith(ARCHIVE_SUFFIXES):
                            archives.append(name)
                    elif entry.is_symlink():
                        symlinks += 1
                    elif entry.is_dir(follow_symlinks=False):
                        subfolders.append(name)
                except OSError as error:
                    self._troubles.append(trouble_of(error, below(path, name)))
        subfolders.sort()
        return self._folder(descriptor, path, images, archives, (files, symlinks, entries)), subfolders

    def _folder(
        self, descriptor: int, path: bytes, images: list[bytes], archives: list[bytes], seen: tuple[int, int, int]
    ) -> Folder:
        images.sort()
        archives.sort()
        found = self._measure(descriptor, path, archives)
        files, symlinks, entries = seen
        return Folder(
            path=path,
            images=self._measure(descriptor, path, images),
            archives=tuple(
                ArchiveFile(below(path, name), size, mtime)
                for name, size, mtime in zip(found.names, found.sizes, found.mtimes, strict=True)
            ),
            files=files,
            symlinks=symlinks,
            entries=entries,
        )

    def _measure(self, descriptor: int, path: bytes, names: list[bytes]) -> Images:
        """Sizes and times of regular files; what is gone or changed its type meanwhile is left out."""
        kept: list[bytes] = []
        sizes, mtimes = array("q"), array("q")
        for count, name in enumerate(names, 1):
            if count % STOP_EVERY == 0 and self._stopping():
                raise Stopped
            try:
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except OSError as error:
                self._troubles.append(trouble_of(error, below(path, name)))
                continue
            if stat.S_ISREG(status.st_mode):
                kept.append(name)
                sizes.append(status.st_size)
                mtimes.append(status.st_mtime_ns)
        return Images(kept, sizes, mtimes)


def below(path: bytes, name: bytes) -> bytes:
    """The path of `name` in the folder `path`."""
    return path + b"/" + name if path else name
