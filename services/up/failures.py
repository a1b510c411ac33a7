"""What keeps Linstock from starting on a data directory, and how that is said."""

import shlex
from pathlib import Path

from linstock.cli.exits import Exit
from linstock.embedded import NetworkFileSystem, NewerDataDir, ServerFailed
from linstock.embedded.account import NoAccount
from linstock.embedded.socketdir import UnsafeSocketDir
from services.up.state import AlreadyRunning


class PortTaken(Exception):
    """Port {port} of {host} cannot be used ({reason}): give another one with --port."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        self.host, self.port, self.reason = host, port, reason
        super().__init__((self.__doc__ or "").format(host=host, port=port, reason=reason))


class NoToken(Exception):
    """Others could reach {host}, and nobody has a token yet: make one with `linstock token create --role admin --data-dir {path}`, then start again."""  # noqa: E501

    def __init__(self, host: str, path: Path) -> None:
        self.host, self.path = host, path
        super().__init__((self.__doc__ or "").format(host=host, path=shlex.quote(str(path))))


CANNOT_START = (
    AlreadyRunning,
    NoToken,
    PortTaken,
    NetworkFileSystem,
    NewerDataDir,
    ServerFailed,
    NoAccount,
    UnsafeSocketDir,
    OSError,
)


def sentence(error: BaseException) -> str:
    """The error as one line: a docstring message may be wrapped."""
    return " ".join(str(error).split()) or type(error).__name__


def exit_code(error: BaseException) -> Exit:
    return Exit.NOT_ALLOWED if isinstance(error, NoToken) else Exit.FAILED
