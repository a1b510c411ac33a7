"""Running part of a test in a child of its own: as somebody without privileges, or where a folder is a small disk."""

import ctypes
import os
import pickle
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

NOBODY = 65534
MIB = 1024 * 1024

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_REC, _MS_PRIVATE = 0x4000, 1 << 18

_libc = ctypes.CDLL(None, use_errno=True)


def as_unprivileged(work: Callable[[], T], *, owner_of: Path) -> T:
    """What `work` returns in a child process that is not root, and owns the tree `owner_of` if this process is."""
    if os.geteuid() == 0:
        for folder, _, _ in os.walk(owner_of):
            os.chown(folder, NOBODY, NOBODY)
        _open_parents(owner_of)
    return _in_child(_drop, work)


def on_small_disk(work: Callable[[], T], *, disk: Path, size_mib: int) -> T:
    """What `work` returns in a child process for which the folder `disk` is a file system of its own, and so small.

    Only that process and its children see it; it is gone with the last of them. Needs root with CAP_SYS_ADMIN, or
    namespaces for ordinary users."""
    return _in_child(partial(_mount, disk, size_mib), work)


def _in_child(prepare: Callable[[], None], work: Callable[[], T]) -> T:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(prepare, work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        answer = answers.read()
    os.waitpid(child, 0)
    assert answer, "the child ended without an answer"
    result: T = pickle.loads(answer)
    if isinstance(result, BaseException):
        raise result
    return result


def _answer(prepare: Callable[[], None], work: Callable[[], object], writing: int) -> None:
    os.set_inheritable(writing, False)  # whatever the work starts must not keep us waiting
    try:
        try:
            prepare()
            result: object = work()
        except AssertionError:
            result = AssertionError(traceback.format_exc())  # the line that failed is in this process only
        except Exception as error:
            result = error
        os.write(writing, pickle.dumps(result))
    finally:
        os._exit(0)


def _drop() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def _mount(disk: Path, size_mib: int) -> None:
    uid, gid = os.geteuid(), os.getegid()
    _must(_libc.unshare(_CLONE_NEWNS if uid == 0 else _CLONE_NEWNS | _CLONE_NEWUSER))
    if uid != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    _must(_libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None))
    options = f"size={size_mib * MIB},mode=755,uid={uid},gid={gid}".encode()
    _must(_libc.mount(b"tmpfs", os.fsencode(disk), b"tmpfs", 0, options))


def _must(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"no disk for this test: {os.strerror(ctypes.get_errno())}")


def _open_parents(path: Path) -> None:
    """pytest makes its folders for their owner alone; somebody else must get through, not look in."""
    for parent in path.parents:
        if parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o001)
