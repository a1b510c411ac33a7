"""What keeps Linstock from starting on a data directory, and how that is said."""

from linstock.embedded import NetworkFileSystem, NewerDataDir, ServerFailed
from linstock.embedded.account import NoAccount
from linstock.embedded.socketdir import UnsafeSocketDir
from services.up.state import AlreadyRunning


class PortTaken(Exception):
    """Port {port} of {host} cannot be used ({reason}): give another one with --port."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        self.host, self.port, self.reason = host, port, reason
        super().__init__((self.__doc__ or "").format(host=host, port=port, reason=reason))


CANNOT_START = (
    AlreadyRunning,
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
