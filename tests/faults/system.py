"""The whole of Linstock as one child of the harness: `linstock up` on a data directory of its own.

Nothing here outlives the harness: the supervisor gets SIGTERM when we die, and its children die with it.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from linstock.embedded import DataDir
from linstock.embedded.process import before_exec
from services.up import state
from services.up.state import State
from tests.faults.launch import REPLICAS, crash_order

READY_WITHIN_S = 120.0
STOP_WITHIN_S = 20.0
POLL_S = 0.05


class NotReady(Exception):
    """The system did not become ready in time; see its log."""


class System:
    """Started by `start`, found by `state`, ended by `stop`, which is safe at any time and twice."""

    def __init__(self, home: Path, *, replicas: tuple[str, ...] = ()) -> None:
        """`replicas` are services of which a second process runs, to race and to take over."""
        self.home = home
        self.data = DataDir(home / "data")
        self._replicas = replicas
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._read_to = 0

    def start(self) -> None:
        """Raises NotReady."""
        self.home.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LINSTOCK_")}
        with (self.home / "up.out").open("ab") as out:
            self._supervisor = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.faults.launch",
                    "up",
                    "--data-dir",
                    str(self.data.root),
                    "--port",
                    "0",
                    "--log-format",
                    "json",
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**kept, REPLICAS: ",".join(self._replicas)},
                preexec_fn=before_exec(signal.SIGTERM),
            )
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._ready():
            if self._supervisor.poll() is not None or time.monotonic() > deadline:
                raise NotReady(f"{NotReady.__doc__} {self.log}")
            time.sleep(POLL_S)

    def stop(self) -> None:
        child, self._supervisor = self._supervisor, None
        if child is None or child.poll() is not None:
            return
        child.terminate()
        try:
            child.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    @property
    def log(self) -> Path:
        return self.data.logs / "linstock.log"

    @property
    def state(self) -> State:
        """As the supervisor wrote it last."""
        found = state.read(self.data)
        if found is None:
            raise NotReady(f"there is no {self.data.state}")
        return found

    def pids(self) -> dict[str, int]:
        """Every process that runs now, by name; replicas as `<service>-2`."""
        found = self.state
        running: dict[str, int | None] = {name: service.pid for name, service in found.services.items()}
        running["nats"] = found.nats.pid if found.nats else None
        running["postgres"] = found.postgres.pid if found.postgres else None
        return {name: pid for name, pid in running.items() if pid is not None}

    def arm(self, service: str, crash_point: str) -> None:
        """The next process of `service` ends at `crash_point`; only that one."""
        order = crash_order(self.data.root, service)
        order.parent.mkdir(exist_ok=True)
        order.write_text(crash_point)

    def new_log_lines(self) -> Iterator[dict[str, object]]:
        """What was logged since the last call (or since `forget_log`)."""
        with self.log.open("rb") as file:
            if os.fstat(file.fileno()).st_size < self._read_to:
                self._read_to = 0  # rotated
            file.seek(self._read_to)
            for raw in file:
                if not raw.endswith(b"\n"):
                    return
                self._read_to += len(raw)
                yield json.loads(raw)

    def forget_log(self) -> None:
        for _ in self.new_log_lines():
            pass

    def command(self, *words: str, timeout_s: float = 180.0) -> subprocess.CompletedProcess[str]:
        """`linstock <words>` against this system's servers."""
        found = self.state
        assert found.nats
        assert found.postgres
        environment = {
            **os.environ,
            "LINSTOCK_DATA_DIR": str(self.data.root),
            "LINSTOCK_NATS_URL": found.nats.url,
            "LINSTOCK_DATABASE_URL": found.postgres.url,
        }
        return subprocess.run(
            [sys.executable, "-m", "linstock", *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def _ready(self) -> bool:
        found = state.running(self.data)
        return found is not None and found.ready
