"""Whether the read models have moved on. Looks only while somebody waits, and then once for everybody."""

import asyncio
import contextlib

import asyncpg

from services.api.problems import DATABASE_AWAY

LOOK_EVERY_S = 0.05


class Watch:
    """`turn` goes up when the read models have moved: remember it, read, then wait for the next."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._seen: object = None
        self._changed = asyncio.Event()
        self._waiting = 0
        self._looking: asyncio.Task[None] | None = None
        self.turn = 0

    async def next(self, turn: int, *, within_s: float) -> None:
        """Returns when it is another turn than `turn`, or after `within_s`."""
        self._waiting += 1
        try:
            async with asyncio.timeout(within_s):
                while self.turn == turn:
                    self._look()
                    await self._changed.wait()
        except TimeoutError:
            return
        finally:
            self._waiting -= 1

    def wake(self) -> None:
        """Everybody looks up, although nothing has moved."""
        self.turn += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def _look(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_while_waited())

    async def _look_while_waited(self) -> None:
        while self._waiting:
            with contextlib.suppress(*DATABASE_AWAY):  # as good as unmoved, until it is back
                rows = await self._pool.fetch("SELECT log, epoch, position FROM positions ORDER BY log")
                if rows != self._seen:
                    self._seen = rows
                    self.wake()
            await asyncio.sleep(LOOK_EVERY_S)
