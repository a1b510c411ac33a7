"""The system account PostgreSQL runs under when we are root (it refuses to run as root itself)."""

import contextlib
import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

NAME = "linstock"


class NoAccount(Exception):
    """PostgreSQL cannot run as root and the system account "{name}" could not be made ({reason}).

    Start Linstock as a normal user, or give LINSTOCK_DATABASE_URL."""

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__((self.__doc__ or "").format(name=name, reason=reason))


@dataclass(frozen=True)
class Account:
    """A system account to drop to. `pierce`: it cannot reach its files without passing a closed folder."""

    uid: int
    gid: int
    pierce: bool = False


def for_server(*paths: Path) -> Account | None:
    """The account a server that refuses root must use to reach `paths`; None when we are not root."""
    if os.geteuid() != 0:
        return None
    entry = _entry()
    pierce = any(not _passable(folder) for path in paths for folder in path.resolve().parents)
    return Account(entry.pw_uid, entry.pw_gid, pierce)


def _passable(folder: Path) -> bool:
    # Only "others may pass" counts: the account is new, so it is in nobody's group.
    with contextlib.suppress(FileNotFoundError):
        return bool(folder.stat().st_mode & 0o001)
    return True


def _entry() -> pwd.struct_passwd:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(NAME)
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except OSError as error:
        raise NoAccount(NAME, str(error)) from error
    try:
        return pwd.getpwnam(NAME)  # also when another start made it at the same moment
    except KeyError as error:
        raise NoAccount(NAME, made.stderr.strip()) from error
