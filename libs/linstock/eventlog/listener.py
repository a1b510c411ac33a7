"""LISTEN on one channel over a connection of its own, for as long as it takes."""

import asyncio
import contextlib
from collections.abc import Callable

import asyncpg

from linstock.cancellation import cancel

RETRY_S = 1.0
CONNECT_TIMEOUT_S = 5.0


class Listener:
    """Calls `ring` with the notifying server process id, and with 0 after each (re)connection: some may be missed."""

    def __init__(self, dsn: str, channel: str, ring: Callable[[int], None]) -> None:
        self._dsn = dsn
        self._channel = channel
        self._ring = ring
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Does nothing when it runs."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"listen-{self._channel}")

    async def close(self) -> None:
        """Safe to call twice or before start."""
        if self._task is not None:
            await cancel(self._task)

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(Exception):  # asyncpg raises more than it says when a server dies under it
                await self._listen()
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        lost = asyncio.Event()
        connection = await asyncpg.connect(self._dsn, timeout=CONNECT_TIMEOUT_S)
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(self._channel, lambda _connection, pid, *_: self._ring(pid))
            self._ring(0)
            await lost.wait()
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_S)
