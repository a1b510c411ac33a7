"""The process behind `linstock up`: servers, then streams, then services; and the same backwards.

Promises: what dies is started again at the same address; on SIGTERM or Ctrl-C everything has ended within
`DRAIN_LIMIT_S`, services first, so that nothing acknowledged is lost; if this process is killed, so are its children.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from linstock.embedded import DataDir
from services.up import readiness, state
from services.up.launch import Launch
from services.up.logstream import LogStream
from services.up.servers import Servers
from services.up.service import SupervisedService
from services.up.state import ServiceState, State

DRAIN_LIMIT_S = 10.0
SERVICES_LIMIT_S = 8.5
"""A service ends itself within 8 s; the rest of the drain belongs to the servers."""
POLL_S = 0.05
TELL_EVERY_S = 2.0
READINESS_EVERY_S = 5.0

# Every address of this machine; one of them is enough to reach it.
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared, not listened on

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to run. `services` maps each name to the command that runs it."""

    data: DataDir
    launch: Launch
    services: Mapping[str, tuple[str, ...]]
    admit: Callable[[str], Awaitable[None]]
    """Called with the database's URL before anything listens; what it raises keeps the services from starting."""
    prepare: Callable[[str], Awaitable[None]]
    """Called with the NATS URL before the services start."""
    nats_url: str | None = None
    database_url: str | None = None

    @property
    def url(self) -> str:
        """Where to reach it from this machine."""
        host = _ANY.get(self.launch.host, self.launch.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.launch.port}"


class Supervisor:
    """Runs one plan until it is told to stop."""

    def __init__(self, plan: Plan, stream: LogStream, on_ready: Callable[[str], Awaitable[None]]) -> None:
        self._plan, self._stream, self._on_ready = plan, stream, on_ready
        self._servers = Servers(plan.data, plan.nats_url, plan.database_url)
        self._services: list[SupervisedService] = []
        self._told = asyncio.Event()
        self._lives: set[asyncio.Task[None]] = set()
        self._ready = False
        self._waiting: dict[str, str] = dict.fromkeys(plan.services, "not started")

    async def run(self) -> int:
        """Return the exit code once everything has ended."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._tell)
        self._write_state()
        work = asyncio.create_task(self._work())
        told = asyncio.create_task(self._told.wait())
        await asyncio.wait((work, told), return_when=asyncio.FIRST_COMPLETED)
        failure = work.exception() if work.done() else None
        told.cancel()
        await self._drain(work)
        if failure is not None:
            raise failure
        return 0

    def _tell(self) -> None:
        if self._told.is_set():  # Ctrl-C again: somebody cannot wait
            for service in self._services:
                service.kill()
        self._told.set()

    async def _work(self) -> None:
        began = time.monotonic()
        await self._servers.start()
        log.info("servers ready", took_s=round(time.monotonic() - began, 2))
        await self._plan.admit(self._servers.postgres.url)
        await self._plan.prepare(self._servers.nats.url)
        self._services = [self._service(name, argv) for name, argv in self._plan.services.items()]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._servers.watch(self._write_state))
            self._lives = {group.create_task(service.run()) for service in self._services}
            await self._until_ready(began)
            await self._say_how_it_is()

    def _service(self, name: str, argv: tuple[str, ...]) -> SupervisedService:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("LINSTOCK_")}
        ours = {
            "LINSTOCK_DATABASE_URL": self._servers.postgres.url,
            "LINSTOCK_NATS_URL": self._servers.nats.url,
            "LINSTOCK_HOST": self._plan.launch.host,
            "LINSTOCK_PORT": str(self._plan.launch.port),
            "LINSTOCK_REQUIRE_TOKEN": "1" if self._plan.launch.require_token else "",
            "LINSTOCK_ALLOW_ROOTS": os.pathsep.join(map(os.fspath, self._plan.launch.allow_roots)),
            "LINSTOCK_LOG_FORMAT": "json",  # rendered once, by the log stream
            "LINSTOCK_DATA_DIR": str(self._plan.data.root),
            "LINSTOCK_DISK": str(self._servers.disk or ""),
            "LINSTOCK_RETENTION_DAYS": str(self._plan.launch.retention_days),
            "LINSTOCK_THUMBNAILS_MIB": os.environ.get("LINSTOCK_THUMBNAILS_MIB", ""),
            "LINSTOCK_CRASH_AT": os.environ.get("LINSTOCK_CRASH_AT", ""),
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2",  # glibc gives each thread an arena, and services wait in threads
        }
        return SupervisedService(name, argv, kept | ours, self._stream.line, self._write_state)

    async def _until_ready(self, began: float) -> None:
        told_at = time.monotonic()
        while waiting := await readiness.unready({service.name: service.probe for service in self._services}):
            if waiting != self._waiting:
                self._waiting = waiting
                self._write_state()
            if time.monotonic() - told_at > TELL_EVERY_S:
                told_at = time.monotonic()
                log.info("waiting", **{f"for_{name}": reason for name, reason in waiting.items()})
            await asyncio.sleep(POLL_S)
        self._waiting = {}
        log.info("ready", url=self._plan.url, took_s=round(time.monotonic() - began, 2))
        await self._on_ready(self._servers.postgres.url)
        self._write_state(ready=True)

    async def _say_how_it_is(self) -> None:
        """In the log, at each change; and asked now and then, services can say for how long they have been unwell."""
        while True:
            await asyncio.sleep(READINESS_EVERY_S)
            waiting = await readiness.unready({service.name: service.probe for service in self._services})
            if waiting.keys() == self._waiting.keys():
                continue
            self._waiting = waiting
            if waiting:
                log.warning("not all is ready", **{f"for_{name}": reason for name, reason in waiting.items()})
            else:
                log.info("all is ready again")

    async def _drain(self, work: asyncio.Task[None]) -> None:
        deadline = time.monotonic() + DRAIN_LIMIT_S
        log.info("stopping")
        for service in self._services:
            service.terminate()
        if self._lives:
            await asyncio.wait(self._lives, timeout=SERVICES_LIMIT_S)
        for service in self._services:
            if service.pid is not None:
                log.error("service killed: it did not stop in time", killed=service.name)
                service.kill()
        work.cancel()
        await asyncio.gather(work, *self._lives, return_exceptions=True)
        await self._servers.stop(deadline)
        log.info("stopped")
        with contextlib.suppress(FileNotFoundError):
            self._plan.data.state.unlink()

    def _write_state(self, *, ready: bool | None = None) -> None:
        if ready is not None:
            self._ready = ready
        try:
            state.write(self._plan.data, self._state())
        except OSError as error:
            # A full disk must end nothing. It is written again when there is room, and at every change.
            log.error("the state can't be written", error=str(error))

    def _state(self) -> State:
        return State(
            pid=os.getpid(),
            url=self._plan.url,
            ready=self._ready,
            host=self._plan.launch.host,
            needs_token=self._plan.launch.needs_token,
            waiting=self._waiting,
            services={service.name: ServiceState(service.pid, service.probe) for service in self._services},
            nats=self._servers.nats,
            postgres=self._servers.postgres,
        )
