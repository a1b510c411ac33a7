"""NATS and PostgreSQL under the supervisor: started before the services, watched, stopped after them.

A URL given from outside takes the place of the embedded server.
"""

import asyncio
import os
import time
from collections.abc import Callable

import structlog

from linstock.disk import Disk
from linstock.embedded import DataDir, EmbeddedNats, EmbeddedPostgres, ServerFailed
from services.up.ballast import Ballast
from services.up.disk import DiskWatch, keep_storing
from services.up.state import Server

FIRST_WAIT_S = 0.1
LAST_WAIT_S = 5.0
POLL_S = 0.25  # only where the kernel cannot tell us of an exit

log = structlog.get_logger()

Embedded = EmbeddedNats | EmbeddedPostgres


class Servers:
    """The two servers of one data directory."""

    def __init__(self, data: DataDir, nats_url: str | None, database_url: str | None) -> None:
        self._nats_url, self._database_url = nats_url, database_url
        self._nats = EmbeddedNats(data.nats) if nats_url is None else None
        self._postgres = EmbeddedPostgres(data.postgres) if database_url is None else None
        self.disk = data.root if self._embedded() else None
        """What they write to, if any of them is ours."""

    @property
    def nats(self) -> Server:
        return Server(self._nats.pid, self._nats.url) if self._nats else Server(None, self._nats_url or "")

    @property
    def postgres(self) -> Server:
        own = self._postgres
        return Server(own.pid, own.url) if own else Server(None, self._database_url or "")

    async def start(self) -> None:
        """Return when both accept connections. Raises what their `start` raises."""
        if self.disk:
            Ballast(self.disk).look()  # after a reboot the disk may be full already
        # Spawned by this thread, which lives as long as they should; only the waiting goes elsewhere.
        for server in self._embedded():
            server.launch()
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in self._embedded()))

    async def watch(self, on_change: Callable[[], None]) -> None:
        """Start each again when it dies, at the same address, or when it does not do its work any more."""
        keeping = [_keep(server, on_change) for server in self._embedded()]
        if self._nats:
            keeping.append(keep_storing(self._nats, Disk(self.disk)))
        if self.disk:
            keeping.append(DiskWatch(Disk(self.disk), Ballast(self.disk), on_change).run())
        await asyncio.gather(*keeping)

    async def stop(self, deadline: float) -> None:
        """NATS, then PostgreSQL; each is killed when the (monotonic) deadline passes."""
        for server in self._embedded():
            left_s = max(0.5, deadline - time.monotonic())
            await asyncio.to_thread(server.stop, left_s)

    def _embedded(self) -> list[Embedded]:
        return [server for server in (self._nats, self._postgres) if server is not None]


async def _keep(server: Embedded, on_change: Callable[[], None]) -> None:
    name = type(server).__name__.removeprefix("Embedded")
    wait_s = FIRST_WAIT_S
    while True:
        if server.pid is not None:
            await _exited(server)
            log.warning("server ended", server=name)
            on_change()
        try:
            server.launch()
            await asyncio.to_thread(server.wait_ready)
        except (ServerFailed, OSError) as error:
            log.error("server does not start", server=name, error=str(error), retry_in_s=wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LAST_WAIT_S)
        else:
            wait_s = FIRST_WAIT_S
            log.info("server started again", server=name, pid=server.pid)
            on_change()


async def _exited(server: Embedded) -> None:
    pid = server.pid
    if pid is None:
        return
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        while server.pid == pid:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(POLL_S)
        return
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    loop.add_reader(descriptor, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
