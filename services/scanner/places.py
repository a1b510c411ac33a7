"""Whether something still is where it was. Looks at the disk: blocks."""

import os

from services.scanner.file_system import file_system_of
from services.scanner.identity import Kin
from services.scanner.opening import below
from services.scanner.scope import FOLDER
from services.scanner.walk import is_empty


def is_there(root: bytes, file_system: str) -> bool:
    """Whether the folder of another library is as it was when its content was recorded, so that what is not in it has
    gone: on the same file system, and not empty. In doubt it is not."""
    try:
        return file_system != "" and file_system_of(root) == file_system and not is_empty(root)
    except (OSError, ValueError):
        return False


def is_gone(root: bytes, kin: Kin, *, to: bytes, image: bytes) -> bool:
    """From its old place, as it is at `to` with `image` in it. In doubt it is not. A folder whose images have all been
    moved elsewhere is gone too; so is one that is the same under another spelling, where case does not count."""
    there = below(kin.path, image) if kin.kind == FOLDER else kin.path
    here = below(to, image) if kin.kind == FOLDER else to
    try:
        before = os.lstat(below(kin.root or root, there))
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    try:
        now = os.lstat(below(root, here))
    except (OSError, ValueError):
        return False
    # Hard links have two names; what has one, and is found under two, lies where case does not count.
    return (before.st_dev, before.st_ino, before.st_nlink) == (now.st_dev, now.st_ino, 1)
