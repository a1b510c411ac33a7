"""Scheduler processes that are killed and started again, and how they say they are."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from linstock import names
from linstock.embedded.process import before_exec
from tests.bench.servers import Servers, free_port
from tests.faults.system import NotReady

READY_WITHIN_S = 30.0
LOOK_EVERY_S = 0.05


class Replica:
    """One place: at most one process at a time, which dies with us."""

    def __init__(self, number: int, servers: Servers, *, wrong_by_s: float = 0.0) -> None:
        self.number = number
        self.wrong_by_s = wrong_by_s
        self.kills = 0
        self._servers = servers
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ["services.scheduler"]
        if self.wrong_by_s:
            words = ["tests.faults.ahead", str(self.wrong_by_s), names.SCHEDULER]
        with (self._servers.folder / f"scheduler-{self.number}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *words],
                env={
                    **{name: value for name, value in os.environ.items() if not name.startswith("LINSTOCK_")},
                    "LINSTOCK_NATS_URL": self._servers.nats_url,
                    "LINSTOCK_DATABASE_URL": self._servers.database_url,
                    "LINSTOCK_PROBE_PORT": str(self._port),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=before_exec(signal.SIGKILL),
            )

    def kill(self) -> None:
        """kill -9, and waits until it is gone. Raises NotReady if it had ended by itself."""
        assert self._process is not None
        if self._process.poll() is not None:
            raise NotReady(f"scheduler {self.number} ended by itself with {self._process.returncode}")
        self._process.kill()
        self._process.wait()
        self.kills += 1

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def unready(self) -> dict[str, str]:
        """Reasons by check; empty when ready."""
        return await asyncio.to_thread(self._ask)

    async def ready(self) -> None:
        """Ready but for its clock, if that is wrong. Raises NotReady."""
        until = time.monotonic() + READY_WITHIN_S
        while found := await self.unready():
            if self.wrong_by_s and found.keys() == {"clock"}:
                return
            if time.monotonic() > until:
                raise NotReady(f"scheduler {self.number}: {found}")
            await asyncio.sleep(LOOK_EVERY_S)

    def _ask(self) -> dict[str, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/readyz", timeout=2):
                return {}
        except urllib.error.HTTPError as error:
            found: dict[str, str] = json.load(error).get("reasons", {})
            return found or {"lifecycle": str(error.code)}
        except OSError as error:
            return {"lifecycle": str(error)}


@contextmanager
def running(servers: Servers, wrong_by_s: Sequence[float]) -> Iterator[list[Replica]]:
    """One for each of these."""
    replicas = [Replica(number, servers, wrong_by_s=by_s) for number, by_s in enumerate(wrong_by_s)]
    try:
        for each in replicas:
            each.start()
        yield replicas
    finally:
        for each in replicas:
            each.end()


def victims(replicas: Sequence[Replica], chance: random.Random) -> list[Replica]:
    """Mostly one, now and then two at once."""
    return chance.sample(list(replicas), 2 if chance.random() < 0.2 else 1)
