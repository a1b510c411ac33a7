"""One service as a child process: started again whenever it ends, its output handed on line by line."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable, Mapping, Sequence

import structlog

from linstock.embedded.process import before_exec

FIRST_WAIT_S = 0.1
LAST_WAIT_S = 5.0
STEADY_S = 5.0
"""Having lived this long, a service that ends is started again at once."""
LINE_LIMIT_BYTES = 1024 * 1024

log = structlog.get_logger()


class SupervisedService:
    """Keeps one service running from `run` to `stop`."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        environment: Mapping[str, str],
        on_line: Callable[[str, str], None],
        on_change: Callable[[], None],
    ) -> None:
        self.name = name
        self.probe_port = free_port()
        self._argv = argv
        self._environment = {**environment, "LINSTOCK_PROBE_PORT": str(self.probe_port)}
        self._on_line, self._on_change = on_line, on_change
        self._process: Process | None = None
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    @property
    def probe(self) -> str:
        return f"http://127.0.0.1:{self.probe_port}"

    async def run(self) -> None:
        """Start it, and start it again with back-off, until it is stopped."""
        wait_s = FIRST_WAIT_S
        while not self._stopping.is_set():
            began = time.monotonic()
            code = await self._live()
            if self._stopping.is_set():
                return
            lived_s = time.monotonic() - began
            wait_s = FIRST_WAIT_S if lived_s >= STEADY_S else wait_s
            log.warning("service ended", ended=self.name, code=code, lived_s=round(lived_s, 1), restart_in_s=wait_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait_s)
            wait_s = min(wait_s * 2, LAST_WAIT_S)

    def terminate(self) -> None:
        """Ask it to stop, and start it no more."""
        self._stopping.set()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._stopping.set()
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _live(self) -> int:
        process = await asyncio.create_subprocess_exec(
            *self._argv,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            limit=LINE_LIMIT_BYTES,
            env=self._environment,
            start_new_session=True,  # so that Ctrl-C reaches the supervisor alone, which then drains in order
            preexec_fn=before_exec(signal.SIGKILL),  # a killed supervisor must not leave the port taken
        )
        self._process = process
        # A crash point is for one life: armed again, the service would never get past it.
        self._environment.pop("LINSTOCK_CRASH_AT", None)
        self._on_change()
        if self._stopping.is_set():
            self._signal(signal.SIGTERM)
        relay = asyncio.create_task(self._relay(process))
        code = await process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # children of its own, which would hold our end of the pipe open
        await asyncio.wait((relay,), timeout=1.0)
        relay.cancel()
        self._on_change()
        return code

    async def _relay(self, process: Process) -> None:
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:
                continue  # a line beyond the limit is dropped, the service is not
            if not line:
                return
            self._on_line(self.name, line.decode(errors="replace").rstrip("\n"))


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
