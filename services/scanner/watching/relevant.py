"""Which of the changes on a disk say something about collections. Blocks: looks at the disk."""

import os
import stat

from services.scanner.ignores import NAME as IGNORE_FILE
from services.scanner.opening import below
from services.scanner.scope import ARCHIVE_SUFFIXES, IMAGE_SUFFIXES
from services.scanner.watching.settling import Status

_ON_THE_WAY = (b".tmp", b".part", b".crdownload", b"~")


def status(root: bytes, path: bytes) -> Status:
    try:
        found = os.lstat(below(root, path)) if path else os.stat(root)  # noqa: PTH116 - names may be no UTF-8
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns


def is_relevant(root: bytes, path: bytes) -> bool:
    """An image, an archive, an ignore file, a folder; or what may have been one and is gone."""
    name = path.rpartition(b"/")[2]
    if name.lower().endswith(IMAGE_SUFFIXES + ARCHIVE_SUFFIXES):
        return True
    try:
        return stat.S_ISDIR(os.lstat(below(root, path)).st_mode) or name == IGNORE_FILE.encode()
    except OSError:
        return name == IGNORE_FILE.encode() or not (name.startswith(b".") or name.lower().endswith(_ON_THE_WAY))


def hinted(root: bytes, path: bytes) -> bytes:
    """What a scan is to look at because of `path`: itself if it is there, else the folder that it was in, if that is.
    An ignore file speaks of its folder."""
    if path.rpartition(b"/")[2] == IGNORE_FILE.encode():
        path = path.rpartition(b"/")[0]
    named_like_a_file = path.lower().endswith(IMAGE_SUFFIXES + ARCHIVE_SUFFIXES)
    folder = path.rpartition(b"/")[0]
    if status(root, path) or (named_like_a_file and status(root, folder)):
        return path
    while folder and not status(root, folder):
        folder = folder.rpartition(b"/")[0]
    return folder
