"""Running part of a test as somebody without privileges: permissions mean nothing to root."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

NOBODY = 65534


def as_unprivileged(work: Callable[[], T], *, owner_of: Path) -> T:
    """What `work` returns in a child process that is not root, and owns the tree `owner_of` if this process is."""
    if os.geteuid() == 0:
        for folder, _, _ in os.walk(owner_of):
            os.chown(folder, NOBODY, NOBODY)
        _open_parents(owner_of)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        answer = answers.read()
    os.waitpid(child, 0)
    assert answer, "the child ended without an answer"
    result: T = pickle.loads(answer)
    if isinstance(result, BaseException):
        raise result
    return result


def _answer(work: Callable[[], object], writing: int) -> None:
    try:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        try:
            result: object = work()
        except Exception as error:
            result = error
        os.write(writing, pickle.dumps(result))
    finally:
        os._exit(0)


def _open_parents(path: Path) -> None:
    """pytest makes its folders for their owner alone; somebody else must get through, not look in."""
    for parent in path.parents:
        if parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o001)
