"""Who runs on a data directory: a lock that dies with its holder, and a file that tells others where to look."""

import fcntl
import os
import shlex
from pathlib import Path

import msgspec

from linstock.embedded import DataDir
from linstock.embedded.datadir import write_private


class AlreadyRunning(Exception):
    """Linstock already runs on {path} (pid {pid}){at}. Stop it with: linstock down --data-dir {path}"""

    def __init__(self, path: Path, pid: int, url: str | None) -> None:
        self.path, self.pid, self.url = path, pid, url
        at = f" at {url}" if url else ""
        super().__init__((self.__doc__ or "").format(path=shlex.quote(str(path)), pid=pid, at=at))


class Server(msgspec.Struct, frozen=True):
    """NATS or PostgreSQL. `pid` is None while it is down, or when it is not ours."""

    pid: int | None
    url: str


class ServiceState(msgspec.Struct, frozen=True):
    """One service; `probe` is the URL below which /livez, /readyz and /metrics are."""

    pid: int | None
    probe: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`state.json`: readable by its owner only, because URLs hold credentials. Replaced whole at each change."""

    pid: int
    url: str
    ready: bool = False
    host: str = "127.0.0.1"
    """What is listened on; `url` is where to reach that from this machine."""
    needs_token: bool = False
    """Also of who calls from this machine."""
    waiting: dict[str, str] = {}
    """What is not ready yet, and why."""
    services: dict[str, ServiceState] = {}
    nats: Server | None = None
    postgres: Server | None = None


def write(data: DataDir, state: State) -> None:
    write_private(data.state, msgspec.json.encode(state).decode())


def read(data: DataDir) -> State | None:
    """The state of what runs, or of what ran last; None when there is none that this version can read."""
    try:
        return msgspec.json.decode(data.state.read_bytes(), type=State)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def running(data: DataDir) -> State | None:
    """The state of what runs now; None when nothing does, or it has only just begun."""
    pid = holder(data)
    found = read(data)
    return found if found is not None and pid is not None and found.pid == pid else None


def holder(data: DataDir) -> int | None:
    """The pid that holds the directory (0 for an instant, when it has not written it yet); None when nobody does."""
    try:
        descriptor = os.open(data.lock, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.read(descriptor, 32) or b"0")
    else:
        return None
    finally:
        os.close(descriptor)


def take(data: DataDir) -> int:
    """Hold the directory until the returned descriptor is closed. Raises `AlreadyRunning`."""
    descriptor = os.open(data.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = int(os.read(descriptor, 32) or b"0")
        os.close(descriptor)
        found = read(data)
        raise AlreadyRunning(data.root, pid, found.url if found is not None and found.pid == pid else None) from None
    # Before anything else, and in this order: a pid of an earlier life must never be read under this lock.
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor
