"""Where PostgreSQL's Unix socket lies: beside the data, or in a short private directory when that path is too long."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from linstock.embedded.account import Account

SOCKET_NAME = ".s.PGSQL.5432"
MAX_PATH_BYTES = 107  # sizeof(sockaddr_un.sun_path) - 1 on Linux


class UnsafeSocketDir(Exception):
    """{path} belongs to somebody else or is open to others; remove it, or give a shorter --data-dir."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__((self.__doc__ or "").format(path=path))


def socket_dir(home: Path, account: Account | None) -> Path:
    """An existing directory of mode 0700, owned by the server's account, the same one at every start."""
    beside = home / "socket"
    path = beside if _fits(beside) else _short(home)
    path.mkdir(mode=0o700, exist_ok=True)
    owner = os.geteuid() if account is None else account.uid
    found = path.lstat()
    if account is not None and found.st_uid == os.geteuid() and stat.S_ISDIR(found.st_mode):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
        found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) != 0o700:
        raise UnsafeSocketDir(path)
    return path


def _fits(directory: Path) -> bool:
    # ".lock" names the file beside the socket; only the socket itself has the kernel's limit.
    return len(os.fsencode(directory / SOCKET_NAME)) <= MAX_PATH_BYTES


def _short(home: Path) -> Path:
    name = f"linstock-{os.geteuid()}-{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isdir(runtime) and os.access(runtime, os.W_OK) and _fits(Path(runtime) / name):
        return Path(runtime) / name
    temporary = Path(tempfile.gettempdir()) / name
    return temporary if _fits(temporary) else Path("/tmp") / name  # noqa: S108 - owner and mode are checked above
