"""Workers as an application has them: `linstock worker MODULE --alone`, started again by somebody when they die."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from linstock.embedded.process import before_exec
from tests.faults.system import System

LOOK_EVERY_S = 0.2
STOP_WITHIN_S = 10.0
WORKER = "worker"


class Crew:
    """`count` workers, each called worker, worker-2, …; none outlives the harness."""

    def __init__(self, home: Path, data_dir: Path, module: str, *, count: int, settings: Mapping[str, str]) -> None:
        self._home, self._data_dir, self._module = home, data_dir, module
        self._settings = dict(settings)
        self._names = [WORKER, *(f"{WORKER}-{number}" for number in range(2, count + 1))]
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._watching: asyncio.Task[None] | None = None
        self.starts = 0

    def start(self) -> None:
        for name in self._names:
            self._start(name)
        self._watching = asyncio.create_task(self._watch())

    def stop(self) -> None:
        """Safe at any time and twice."""
        if self._watching:
            self._watching.cancel()
            self._watching = None
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self._processes.items() if process.poll() is None}

    async def _watch(self) -> None:
        while True:
            for name, process in self._processes.items():
                if process.poll() is not None:
                    self._start(name)
            await asyncio.sleep(LOOK_EVERY_S)

    def _start(self, name: str) -> None:
        words = ["worker", self._module, "--alone", "--grace", "2", "--data-dir", str(self._data_dir)]
        kept = {key: value for key, value in os.environ.items() if not key.startswith("LINSTOCK_")}
        with (self._home / f"{name}.log").open("ab") as out:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "linstock", *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**kept, **self._settings},
                preexec_fn=before_exec(signal.SIGTERM),
            )
        self.starts += 1


def pid_of(worker: str) -> int:
    """Of a worker as it calls itself: queue, host, process, and something random."""
    return int(worker.split("-")[-2])


class Staffed(System):
    """A system whose workers can be killed like any other process of it."""

    crew: Crew | None = None

    def pids(self) -> dict[str, int]:
        return super().pids() | (self.crew.pids() if self.crew else {})


@contextmanager
def staffed(home: Path, module: str, *, replicas: tuple[str, ...], settings: Mapping[str, str]) -> Iterator[Staffed]:
    """Up, with three workers."""
    system = Staffed(home, replicas=replicas)
    crew = system.crew = Crew(home, system.data.root, module, count=3, settings=settings)
    try:
        system.start()
        crew.start()
        yield system
    finally:
        crew.stop()
        system.stop()
