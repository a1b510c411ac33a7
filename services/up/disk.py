"""Watches the disk of the data directory for people, and gives NATS a new start when it has stopped storing.

nats-server freezes a stream at its first failed write, for ever: publishes to it are never answered again, also when
there has long been room. Only its health says so, and only a start mends it.
"""

import asyncio
from collections.abc import Callable

import msgspec
import nats.errors
import structlog
from msgspec import Struct

from linstock.bus.connection import close, connect_once
from linstock.disk import Disk
from linstock.embedded import EmbeddedNats
from services.up.ballast import Ballast

LOOK_EVERY_S = 1.0
HEALTH_EVERY_S = 3.0
SOON_S = 0.2
"""After a full disk, the first look at NATS comes at once."""
HEALTH_TIMEOUT_S = 2.0
HEALTH = "$SYS.REQ.SERVER.PING.HEALTHZ"

log = structlog.get_logger()


class _Health(Struct, frozen=True):
    status: str
    error: str = ""


class _Answer(Struct, frozen=True):
    data: _Health


class DiskWatch:
    """Says once that the disk is nearly full, full, or well again. `on_change` is called at each of these, and when the
    ballast was given back: what could not be written before may be now."""

    def __init__(self, disk: Disk, ballast: Ballast, on_change: Callable[[], None]) -> None:
        self._disk = disk
        self._ballast = ballast
        self._on_change = on_change
        self._said = ""

    async def run(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        if self._ballast.look():
            log.error("the last reserve of the disk is given back", reason=self._disk.full())
            self._on_change()
        full, low = self._disk.full(), self._disk.low()
        level = "full" if full else "low" if low else ""
        if level == self._said:
            return
        self._said = level
        if full:
            log.error("no new work is begun", reason=full)
        elif low:
            log.warning("free some space soon", reason=low)
        else:
            log.info("the disk has room again")
        self._on_change()


async def keep_storing(server: EmbeddedNats, disk: Disk) -> None:
    """End a nats-server that stores nothing any more, once there is room: whoever watches it starts it again."""
    while True:
        await asyncio.sleep(SOON_S if disk.full() else HEALTH_EVERY_S)
        if server.pid is None or disk.full():
            continue
        if error := await write_error(server):
            log.warning("NATS stores nothing any more, it is started again", error=error)
            await asyncio.to_thread(server.stop)


async def write_error(server: EmbeddedNats) -> str | None:
    """What keeps a stream from storing; None when nothing does, or the server does not answer."""
    try:
        client = await connect_once(server.system_url, "linstock-up")
        try:
            answer = await client.request(HEALTH, timeout=HEALTH_TIMEOUT_S)
        finally:
            await close(client)
        health = msgspec.json.decode(answer.data, type=_Answer).data
    except (OSError, nats.errors.Error, TimeoutError, msgspec.DecodeError):
        return None
    return health.error if health.status != "ok" and "write error" in health.error else None
