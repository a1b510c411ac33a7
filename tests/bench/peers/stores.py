"""Redis and PostgreSQL, new for every measurement: nobody gains from files or plans that one before has warmed."""

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from linstock import names
from linstock.embedded.process import ServerProcess
from tests.bench.peers.children import run
from tests.bench.peers.peer import Store
from tests.bench.servers import free_port, fresh_servers, ready_service
from tests.support.servers import running_postgres

READY_WITHIN_S = 20
INSTALL_WITHIN_S = 300


@contextmanager
def fresh_store(store: Store, folder: Path) -> Iterator[str]:
    """The URL of an empty one."""
    match store:
        case Store.REDIS:
            with _running_redis(folder) as url:
                yield url
        case Store.POSTGRES:
            with running_postgres(folder) as server:
                yield server.url
        case Store.LINSTOCK:
            with _running_linstock(folder) as url:
                yield url


@contextmanager
def _running_linstock(folder: Path) -> Iterator[str]:
    """Where its NATS and its PostgreSQL are, with a space between."""
    with (
        running_postgres(folder) as postgres,
        fresh_servers(postgres, folder / "servers") as servers,
        ExitStack() as stack,
    ):
        for name in (names.SCHEDULER, names.PROJECTION, names.API):
            stack.enter_context(ready_service(name, servers, LINSTOCK_PORT="0"))
        yield f"{servers.nats_url} {servers.database_url}"


def redis_server(log: Path) -> str:
    """The program, installed from the distribution if we may. Raises `PeerFailed`, `FileNotFoundError`."""
    if (found := shutil.which("redis-server")) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        quietly = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update"], log, within_s=INSTALL_WITHIN_S, environment=quietly)
        run(["apt-get", "install", "-y", "redis-server"], log, within_s=INSTALL_WITHIN_S, environment=quietly)
        found = shutil.which("redis-server")
    if found is None:
        raise FileNotFoundError("there is no redis-server on PATH")
    return found


@contextmanager
def _running_redis(folder: Path) -> Iterator[str]:
    """As Debian sets it, but for its port and folder: snapshots, no append-only file."""
    folder.mkdir(parents=True)
    port = free_port()
    log = folder / "redis.log"
    server = ServerProcess("Redis", home=folder, log=log, death_signal=signal.SIGKILL)
    server.spawn([redis_server(folder / "install.log"), "--port", str(port), "--bind", "127.0.0.1"])
    try:
        server.wait_until(lambda: _answers(port), READY_WITHIN_S)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.kill()


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")
    return False
