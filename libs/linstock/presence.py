"""Whether PostgreSQL answers, known before somebody has to wait for it to find out.

A server that is dead refuses at once; one that hangs makes each caller wait for a time-out, and a pool full of such
waits makes the next caller wait for theirs. Asking once a second on a connection of its own costs 0.1 % of a core.
"""

import asyncio
import contextlib

import asyncpg
import structlog

from linstock.cancellation import cancel
from linstock.outage import plain

ASK_EVERY_S = 1.0
ASK_TIMEOUT_S = 1.0

logger = structlog.get_logger(__name__)


class Presence:
    """`problem` is a sentence while PostgreSQL does not answer; at most 2 s behind the truth."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self.problem: str | None = None

    async def start(self) -> None:
        """Raises what asyncpg raises when it is away already."""
        await self._ask()
        self._task = asyncio.create_task(self._run(), name="presence")

    async def stop(self) -> None:
        """Safe to call twice or before start."""
        if self._task:
            await cancel(self._task)
            self._task = None
        self._drop()

    async def check(self) -> str | None:
        """For readiness."""
        return self.problem

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            try:
                await self._ask()
            except Exception as error:  # asyncpg raises more than it says
                self._drop()
                if self.problem is None:
                    logger.warning("PostgreSQL is away", reason=plain(error), error=repr(error))
                self.problem = plain(error)
            else:
                if self.problem is not None:
                    logger.info("PostgreSQL is back")
                self.problem = None

    async def _ask(self) -> None:
        if self._connection is None or self._connection.is_closed():  # it may be back already, as another process
            self._connection = await asyncpg.connect(self._dsn, timeout=ASK_TIMEOUT_S)
        async with asyncio.timeout(ASK_TIMEOUT_S):
            await self._connection.fetchval("SELECT 1")

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.terminate()
