"""Real servers and real service processes for measuring, each in a folder of its own."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from linstock.embedded import EmbeddedPostgres
from tests.support.servers import fresh_database, running_nats

READY_WITHIN_S = 20


class Servers(Struct, frozen=True):
    """Where an empty NATS and an empty database are."""

    nats_url: str
    database_url: str
    folder: Path


@contextmanager
def fresh_servers(postgres: EmbeddedPostgres, folder: Path) -> Iterator[Servers]:
    folder.mkdir(parents=True)
    with running_nats(folder) as nats, fresh_database(postgres) as database_url:
        yield Servers(nats.url, database_url, folder)


@contextmanager
def ready_service(
    name: str, servers: Servers, *, within_s: float = READY_WITHIN_S, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m services.<name>`, ready; its output goes to a file, and it is told to stop afterwards."""
    port = free_port()
    environment = {
        **os.environ,
        "LINSTOCK_NATS_URL": servers.nats_url,
        "LINSTOCK_DATABASE_URL": servers.database_url,
        "LINSTOCK_PROBE_PORT": str(port),
        **settings,
    }
    with (servers.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"services.{name}"],
            env=environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    try:
        _await_ready(f"http://127.0.0.1:{port}/readyz", process, within_s)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_ready(url: str, process: subprocess.Popen[bytes], within_s: float) -> None:
    until = time.monotonic() + within_s
    reason = "no answer"
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except urllib.error.HTTPError as error:
            reason = json.dumps(json.load(error))
        except OSError as error:
            reason = str(error)
        time.sleep(0.05)
    raise RuntimeError(f"{url} is not ready: {reason}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
