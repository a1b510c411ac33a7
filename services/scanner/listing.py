"""Reads one folder: which images, archives and subfolders it holds, of what size and time. Blocks.

Only the folder itself is opened. What can't be read is a Trouble of its own and stops nothing.
"""

import errno
import os
import stat
import sys
import time
from array import array
from collections.abc import Callable

from msgspec import Struct

from linstock.crashpoints import reach
from linstock.roots import ANYWHERE, Bounds
from services.scanner import ignore_file
from services.scanner.ignores import NAME as IGNORE_FILE
from services.scanner.ignores import BadIgnoreFile
from services.scanner.images import Images, empty
from services.scanner.opening import below, open_below
from services.scanner.scope import ARCHIVE_SUFFIXES, IMAGE_SUFFIXES, Scope

STOP_EVERY = 128  # entries: on a slow network file system each may take some milliseconds
UNSURE = (0, 0)
"""The stamp of a folder that has one which may not tell of its next change."""
SURE_AFTER_NS = 2_000_000_000  # the coarsest clock of a file system (FAT's)
_INT64 = 2**63

_ENCODING = sys.getfilesystemencoding()


class ArchiveFile(Struct, frozen=True):
    path: bytes  # relative to the root
    size_bytes: int
    mtime_ns: int


class Folder(Struct, frozen=True, kw_only=True):
    """`path` is relative to the root, b"" for the root. `images` are direct children; `files` counts all regular
    ones, `entries` all that the folder holds, `specials` sockets, pipes and devices. What the library's settings leave
    out is neither in `images` nor in `archives`; `left_out_others` are archives and folders. `subfolders` are the names
    of those to be looked at, ascending. `stamp` is when the folder itself was changed (mtime and ctime, ns) before it
    was read, or UNSURE; `troubled`: something in it could not be read. `ignores` is the
    key of the ignore files that speak of what is in it."""

    path: bytes
    images: Images
    archives: tuple[ArchiveFile, ...]
    files: int
    symlinks: int
    specials: int
    entries: int
    left_out_images: int
    left_out_others: int
    subfolders: tuple[bytes, ...] = ()
    stamp: tuple[int, int] = UNSURE
    troubled: bool = False
    ignores: bytes = b""


class Trouble(Struct, frozen=True):
    """Something below the root that could not be read. `code` is unreadable | vanished | broken_archive |
    broken_image | path_too_long | bad_ignore_file; `message` a sentence."""

    code: str
    path: bytes
    message: str


class Stopped(Exception):
    """The walk was told to stop."""


class Listing(Struct, frozen=True):
    """`troubles` are with the children."""

    folder: Folder
    troubles: list[Trouble]


def list_folder(
    root: bytes, path: bytes, scope: Scope, stopping: Callable[[], bool], bounds: Bounds = ANYWHERE
) -> Listing:
    """The folder `path` below `root`. Raises OSError, and Stopped within very large folders."""
    # The descriptor keeps a folder that is swapped for a link from leading elsewhere, and makes stat cheap.
    descriptor = open_below(root, path, os.O_RDONLY | os.O_DIRECTORY, bounds)
    try:
        reach("in_listing")
        stamp = _sure(stamp_of(os.fstat(descriptor)), time.time_ns())
        reading = _Reading(descriptor, path, scope, stopping)
        reading.sort_entries()
        return reading.listing(stamp)
    finally:
        os.close(descriptor)


def stamp_of(status: os.stat_result) -> tuple[int, int]:
    """When a folder was changed last: nobody sets the second of the two, so a time that was set back is noticed."""
    return storable(status.st_mtime_ns), storable(status.st_ctime_ns)


def _sure(stamp: tuple[int, int], now_ns: int) -> tuple[int, int]:
    """A change right after the look may bear the same time as one right before it."""
    return stamp if all(abs(now_ns - time_ns) > SURE_AFTER_NS for time_ns in stamp) else UNSURE


def trouble_of(error: OSError, path: bytes) -> Trouble:
    reason = error.strerror or type(error).__name__
    # ENOTDIR and ELOOP: replaced by something else after its parent was listed.
    gone = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE)
    return Trouble("vanished" if gone else "unreadable", path, f"{reason}.")


class _Reading:
    """One folder while it is read."""

    def __init__(self, descriptor: int, path: bytes, scope: Scope, stopping: Callable[[], bool]) -> None:
        self._descriptor = descriptor
        self._path = path
        self._scope = scope
        self._stopping = stopping
        self._stands = True
        self._images: list[bytes] = []
        self._archives: list[bytes] = []
        self._subfolders: list[bytes] = []
        self._troubles: list[Trouble] = []
        self._files = self._symlinks = self._specials = self._entries = 0
        self._left_out_images = self._left_out_others = 0

    def sort_entries(self) -> None:
        """Everything in the folder, by what it is. The lines in both loops run for every file there is."""
        files: list[str] = []
        with os.scandir(self._descriptor) as found:
            for count, entry in enumerate(found, 1):
                if count % STOP_EVERY == 0 and self._stopping():
                    raise Stopped
                self._entries = count
                try:
                    if entry.is_file(follow_symlinks=False):
                        files.append(entry.name)
                    else:
                        self._saw_other(entry)
                except OSError as error:
                    self._troubles.append(trouble_of(error, below(self._path, os.fsencode(entry.name))))
        if IGNORE_FILE in files:
            self._ignore()
        self._files = len(files)
        self._sort(files)

    def _sort(self, files: list[str]) -> None:
        for name in _encoded(files):
            lowered = name.lower()
            if lowered.endswith(IMAGE_SUFFIXES):
                self._images.append(name)
            elif lowered.endswith(ARCHIVE_SUFFIXES):
                self._archives.append(name)
        if self._scope.narrows:
            self._leave_out()
        for names in (self._images, self._archives, self._subfolders):
            names.sort()

    def listing(self, stamp: tuple[int, int]) -> Listing:
        found, images = self._measure(self._archives), self._measure(self._images)
        archives = zip(found.names, found.sizes, found.mtimes, strict=True)
        folder = Folder(
            path=self._path,
            images=images,
            archives=tuple(ArchiveFile(below(self._path, name), size, mtime) for name, size, mtime in archives),
            files=self._files,
            symlinks=self._symlinks,
            specials=self._specials,
            entries=self._entries,
            left_out_images=self._left_out_images,
            left_out_others=self._left_out_others,
            subfolders=tuple(self._subfolders),
            stamp=stamp if self._stands else UNSURE,
            ignores=self._scope.ignores.key(self._path),
            troubled=bool(self._troubles),
        )
        return Listing(folder, self._troubles)

    def _saw_other(self, entry: "os.DirEntry[str]") -> None:
        if entry.is_symlink():
            self._symlinks += 1
            if entry.name == IGNORE_FILE:
                self._troubles.append(self._bad_ignore_file("it is a symbolic link, and those are not followed."))
        elif entry.is_dir(follow_symlinks=False):
            self._saw_folder(os.fsencode(entry.name))
        else:
            self._specials += 1

    def _ignore(self) -> None:
        """Its text may change and leave no trace in the folder's stamp: such a folder is looked at each time."""
        self._stands = False
        try:
            self._scope.ignores.add(self._path, ignore_file.read(self._descriptor))
        except BadIgnoreFile as bad:
            self._troubles.append(self._bad_ignore_file(bad.reason))
        except OSError as error:
            self._troubles.append(self._bad_ignore_file(f"it can't be read: {error.strerror}."))

    def _bad_ignore_file(self, reason: str) -> Trouble:
        path = below(self._path, os.fsencode(IGNORE_FILE))
        return Trouble("bad_ignore_file", path, f"Nothing is left out because of it: {reason}")

    def _leave_out(self) -> None:
        scope, path = self._scope, self._path
        images = [name for name in self._images if not scope.leaves_out_image(below(path, name))]
        archives = [name for name in self._archives if not scope.leaves_out_archive(below(path, name))]
        self._left_out_images = len(self._images) - len(images)
        subfolders = [name for name in self._subfolders if not scope.excludes_folder(below(path, name))]
        self._left_out_others += len(self._archives) - len(archives) + len(self._subfolders) - len(subfolders)
        self._images, self._archives, self._subfolders = images, archives, subfolders

    def _saw_folder(self, name: bytes) -> None:
        if not self._scope.include_subfolders:
            return
        self._subfolders.append(name)

    def _measure(self, names: list[bytes]) -> Images:
        """Sizes and times of regular files; what is gone or changed its type meanwhile is left out."""
        if not names:
            return empty()
        kept: list[bytes] = []
        statuses: list[os.stat_result] = []
        descriptor = self._descriptor
        for count, name in enumerate(names, 1):
            if count % STOP_EVERY == 0 and self._stopping():
                raise Stopped
            try:
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except OSError as error:
                self._troubles.append(trouble_of(error, below(self._path, name)))
                continue
            if stat.S_ISREG(status.st_mode):
                kept.append(name)
                statuses.append(status)
        sizes = array("q", [status.st_size for status in statuses])
        try:
            mtimes = array("q", [status.st_mtime_ns for status in statuses])
        except OverflowError:
            mtimes = array("q", [storable(status.st_mtime_ns) for status in statuses])
        return Images(kept, sizes, mtimes)


def _encoded(names: list[str]) -> list[bytes]:
    """What os.fsencode makes of each, at once: a NUL is in no name."""
    return "\0".join(names).encode(_ENCODING, "surrogateescape").split(b"\0") if names else []


def storable(time_ns: int) -> int:
    """A file system's clock may say years (before 1677, after 2262) that 64 bits of nanoseconds can't: the nearest."""
    return max(-_INT64, min(time_ns, _INT64 - 1))
