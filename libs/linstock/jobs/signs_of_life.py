"""One core-NATS message per worker every 2 s, from a thread of its own that no handler can block."""

import asyncio
import socket
import threading
from uuid import UUID

import msgspec
import nats.errors
from nats.aio.client import Client

from linstock import names
from linstock.bus.connection import close, connect
from linstock.logs import get_logger
from linstock.messages.work import Running, SignOfLife
from linstock.version import VERSION

logger = get_logger(__name__)


class SignsOfLife:
    """Says which attempts this worker is running until stopped. Thread-safe; at most one thread per worker."""

    def __init__(
        self,
        nats_url: str,
        *,
        worker: str,
        queues: tuple[str, ...],
        slots: int,
        every_s: float = 2.0,
        workspace: str = "",
        weights: tuple[int, ...] = (),
    ) -> None:
        self._nats_url = nats_url
        self._worker = worker
        self._queues = queues
        self._slots = slots
        self._ahead = 0
        self._every_s = every_s
        self._workspace = workspace
        self._weights = weights
        self._host = socket.gethostname()
        self._running: dict[UUID, Running] = {}
        self._leaving = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._nudge: asyncio.Event | None = None
        self._stopping = False

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="signs-of-life", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Says goodbye and ends the thread; blocks for at most 2 s."""
        self._stopping = True
        self.leave()
        if self._thread:
            self._thread.join(timeout=2)
            self._thread = None

    def add(self, running: Running) -> None:
        with self._lock:
            self._running[running.lease] = running

    def remove(self, lease: UUID) -> None:
        with self._lock:
            self._running.pop(lease, None)

    def announce(self, ahead: int) -> None:
        """How many orders it may claim beyond its slots, from now on. Small changes are told with the next sign."""
        grown, self._ahead = ahead - self._ahead, ahead
        if abs(grown) * 4 > self._slots + ahead:
            self.nudge()

    def leave(self) -> None:
        """No more orders, please: this worker is going."""
        self._leaving = True
        self.nudge()

    def nudge(self) -> None:
        """Say it now."""
        loop, nudge = self._loop, self._nudge
        if loop and nudge and not loop.is_closed():
            loop.call_soon_threadsafe(nudge.set)

    def _run(self) -> None:
        try:
            asyncio.run(self._say())
        except Exception:
            logger.exception("Signs of life ended")

    async def _say(self) -> None:
        self._nudge = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        client = await connect(self._nats_url, f"{self._worker}-life")
        try:
            while True:
                self._nudge.clear()
                last = self._stopping
                if client.is_connected:
                    await self._sign(client)
                if last:
                    return
                try:
                    async with asyncio.timeout(self._every_s):
                        await self._nudge.wait()
                except TimeoutError:
                    continue
        finally:
            await close(client)

    async def _sign(self, client: Client) -> None:
        """Only live signs help: while disconnected they would queue up and arrive late. A server that hangs is not
        disconnected yet: the next sign may come through."""
        try:
            await client.publish(names.life_subject(self._worker), msgspec.json.encode(self._state()))
            await client.flush(timeout=1)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            logger.debug("A sign of life did not get through", error=str(error) or type(error).__name__)

    def _state(self) -> SignOfLife:
        with self._lock:
            running = tuple(self._running.values())
        return SignOfLife(
            worker=self._worker,
            queues=self._queues,
            slots=self._slots,
            ahead=self._ahead,
            running=running,
            leaving=self._leaving,
            workspace=self._workspace,
            weights=self._weights,
            host=self._host,
            version=VERSION,
        )
