"""The life of one service process: start with patience, say how it is, stop in time.

    # services/<name>/__main__.py
    from linstock.lifecycle import run
    from services.<name>.app import build

    run("<name>", build)          # def build(settings: Settings, vitals: Vitals) -> Service

Promises: a database or NATS that is away makes the service not ready, never dead; SIGTERM and Ctrl-C end it
within `STOP_LIMIT_S` with code 0, or at that limit with code 1.
"""

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn, Protocol

import structlog
import uvloop

from linstock import crashpoints, settings
from linstock.cancellation import cancel
from linstock.outage import plain
from linstock.probes import ProbeServer, Vitals
from linstock.settings import Settings
from linstock.telemetry import configure_logging

STOP_LIMIT_S = 8.0
FIRST_RETRY_S = 0.1
LAST_RETRY_S = 3.0

COLLECT_AT = 2_000, 5, 1_000
"""When the collector looks at the young, the older and all objects. A look at all takes 20 ms where a hundred thousand
are in use, and by itself comes every few seconds: it makes a burst of ticks late and finds next to nothing."""

log = structlog.get_logger()


class Service(Protocol):
    """What `run` drives."""

    async def start(self) -> None:
        """Return when it works. An exception means "not yet": `stop` is called, then `start` again, later."""

    async def stop(self) -> None:
        """Finish what is in hand and return when done. Called twice, or before or during a failed start: harmless."""


Build = Callable[[Settings, Vitals], Service]


def run(name: str, build: Build) -> NoReturn:
    """Run one service until it is told to stop; ends the process."""
    try:
        read = settings.read(os.environ, name)
        crashpoints.arm(read.crash_at)
    except (settings.MissingSetting, settings.BadSetting, crashpoints.UnknownCrashPoint) as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(2)
    configure_logging(read.log_format, name)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(_live(read, build))
        # Threads of libraries must not keep a stopped service alive; what mattered has been awaited.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


async def _live(read: Settings, build: Build) -> int:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    vitals = Vitals(read.service)
    probes = ProbeServer(vitals, read.probe_host, read.probe_port)
    await probes.start()
    log.info("service started", probes=probes.url, pid=os.getpid())
    service = build(read, vitals)
    life = asyncio.create_task(_start(service, vitals))
    failure = asyncio.create_task(vitals.failure())
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait((told, failure), return_when=asyncio.FIRST_COMPLETED)
    reason = failure.result() if failure.done() else None
    if reason is not None:
        log.error("service failed", reason=str(reason), exc_info=reason)
    stopped = await _stop(service, life, vitals)
    for task in (failure, told):
        task.cancel()
    await probes.stop()
    return 0 if stopped and reason is None else 1


async def _start(service: Service, vitals: Vitals) -> None:
    wait_s = FIRST_RETRY_S
    while True:
        try:
            await service.start()
        except Exception as error:
            vitals.not_started(plain(error))
            log.warning("service cannot start yet", reason=plain(error), error=repr(error), retry_in_s=wait_s)
            with contextlib.suppress(Exception):
                await service.stop()
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LAST_RETRY_S)
        else:
            # What is loaded now stays: the collector need not look at it again in the middle of a tick.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*COLLECT_AT)
            vitals.started()
            log.info("service ready")
            return


async def _stop(service: Service, life: asyncio.Task[None], vitals: Vitals) -> bool:
    vitals.stopping()
    log.info("service stopping")
    try:
        async with asyncio.timeout(STOP_LIMIT_S):
            await cancel(life)
            await service.stop()
    except TimeoutError:
        log.error("service did not stop in time", limit_s=STOP_LIMIT_S)
        return False
    except Exception:
        log.exception("service stopped badly")
        return False
    log.info("service stopped")
    return True
