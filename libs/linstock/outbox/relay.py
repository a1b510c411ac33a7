"""`Relay`: hands the rows of an outbox to Linstock, then removes them. In that order.

Each row goes under its own idempotency key, so a relay that dies in between, or two that have the same row after a lost
connection, make one job. A row leaves the table only when Linstock has answered: what NATS loses is sent again.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import nats.errors
from msgspec import Struct
from nats.aio.client import Client

from linstock.bus.commands import CommandSender
from linstock.bus.connection import close, connect_once
from linstock.logs import get_logger
from linstock.outage import NATS_AWAY, plain
from linstock.outbox.handover import ANSWERED_WITHIN_S, Fate, Handed, Handover
from linstock.outbox.rows import Rows
from linstock.outbox.table import CHANNEL, Table

POLL_S = 1.0
ASKED_AGAIN = timedelta(seconds=30)
FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 10.0
CONNECT_TIMEOUT_S = 5.0
STATEMENT_TIMEOUT_S = 15.0
DEFAULT_BATCH = 500
NOT_ANSWERED = "the scheduler does not answer"

logger = get_logger(__name__)


class Stuck(Exception):
    """Not all is handed over: {reason}."""

    def __init__(self, reason: str) -> None:
        super().__init__((self.__doc__ or "").format(reason=reason))
        self.reason = reason


class Round(Struct, frozen=True):
    """How many rows were taken, how many of these Linstock has answered about, refused ones among them."""

    taken: int
    answered: int
    refused: int
    problem: str = ""
    """Why not all were answered."""


class Relay:
    """Any number may run on one table. `batch`: how many rows it locks at once, until they are handed over.

    `run` lasts until `stop`, through every outage of PostgreSQL, NATS and the scheduler; each is logged once.
    """

    def __init__(
        self,
        database_url: str,
        nats_url: str,
        *,
        table: Table | None = None,
        batch: int = DEFAULT_BATCH,
        answered_within_s: float = ANSWERED_WITHIN_S,
    ) -> None:
        self._database_url = database_url
        self._nats_url = nats_url
        self._table = table or Table()
        self._batch = batch
        self._answered_within_s = answered_within_s
        self._rung = asyncio.Event()
        self._stopping = asyncio.Event()
        self._client: Client | None = None
        self._handover: Handover | None = None
        self._problem = ""
        self._delay_s = FIRST_DELAY_S
        self.done = 0
        """How many rows it has handed over, since it was made."""

    def stop(self) -> None:
        """It ends after the rows that it has in hand."""
        self._stopping.set()
        self._rung.set()

    async def run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    async with self._rows() as rows:
                        await self._follow(rows)
                except Exception as error:  # asyncpg raises more than it says when a server dies under it
                    self._say(self._why(error))
                    await self._pause()
        finally:
            await self._close()

    async def drain(self) -> int:
        """Hands over what there is, but for rows that other relays have; says how many were refused. Raises Stuck."""
        try:
            async with self._rows() as rows:
                return await self._drain(rows)
        except Stuck:
            raise
        except Exception as error:
            raise Stuck(self._why(error)) from error
        finally:
            await self._close()

    async def _drain(self, rows: Rows) -> int:
        refused = 0
        while not self._stopping.is_set():
            found = await self._round(rows, self._batch, asked_before=timedelta(0))
            refused += found.refused
            if found.taken and not found.answered:
                raise Stuck(found.problem)
            if not found.taken:
                break
        return refused

    async def _follow(self, rows: Rows) -> None:
        while not self._stopping.is_set():
            self._rung.clear()
            # While nobody answers, one row asks for all whether that is over.
            limit = 1 if self._problem else self._batch
            found = await self._round(rows, limit, asked_before=ASKED_AGAIN)
            if found.taken and not found.answered:
                self._say(found.problem)
                await self._pause()
                continue
            self._well()
            if not found.taken:
                # A commit rings; that may be lost, and what was put off is due some time.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._rung.wait(), POLL_S)

    async def _round(self, rows: Rows, limit: int, *, asked_before: timedelta) -> Round:
        async with rows.transaction():
            taken = await rows.take(limit, asked_before=asked_before)
            if not taken:
                return Round(0, 0, 0)
            handed = await (await self._link()).hand(taken)
            await _settle(rows, handed)
        return self._told(handed)

    def _told(self, handed: Sequence[Handed]) -> Round:
        of = {fate: [each for each in handed if each.fate is fate] for fate in Fate}
        for each in of[Fate.REFUSED]:
            logger.warning(f"Linstock refuses the row {each.row.id}, it is set aside: {each.code}: {each.reason}")
        self.done += len(of[Fate.DONE])
        answered = len(of[Fate.DONE]) + len(of[Fate.REFUSED])
        problem = of[Fate.AWAY][0].reason if of[Fate.AWAY] else NOT_ANSWERED if of[Fate.UNANSWERED] else ""
        if answered and problem:
            logger.warning(f"Of {len(handed)} rows {answered} are handed over: {problem}. The others are tried again.")
        return Round(len(handed), answered, len(of[Fate.REFUSED]), problem)

    @contextlib.asynccontextmanager
    async def _rows(self) -> AsyncIterator[Rows]:
        connection: asyncpg.Connection[Any] = await asyncpg.connect(
            self._database_url, timeout=CONNECT_TIMEOUT_S, command_timeout=STATEMENT_TIMEOUT_S
        )
        try:
            await connection.add_listener(CHANNEL, lambda *_: self._rung.set())
            yield Rows(connection, self._table)
        finally:
            with contextlib.suppress(Exception):
                await connection.close(timeout=CONNECT_TIMEOUT_S)

    async def _link(self) -> Handover:
        """Once there, the connection comes back by itself."""
        if self._handover is None:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    self._client = await connect_once(self._nats_url, "linstock-outbox")
            except TimeoutError as error:
                raise nats.errors.NoServersError from error
            sender = CommandSender(self._client)
            await sender.start()
            self._handover = Handover(sender, answered_within_s=self._answered_within_s)
        return self._handover

    async def _close(self) -> None:
        client, self._client, self._handover = self._client, None, None
        if client is not None:
            await close(client)

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), self._delay_s)
        self._delay_s = min(2 * self._delay_s, LONGEST_DELAY_S)

    def _why(self, error: Exception) -> str:
        if isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError):
            return f"{plain(error)}: create the tables (`linstock outbox ddl`) in the database of --database-url"
        return NATS_AWAY if isinstance(error, nats.errors.Error) else plain(error)

    def _say(self, problem: str) -> None:
        if problem != self._problem:
            logger.warning(f"Nothing is handed over: {problem}. It is tried again and again.")
        self._problem = problem

    def _well(self) -> None:
        if self._problem:
            logger.info("Rows are handed over again")
        self._problem, self._delay_s = "", FIRST_DELAY_S


async def _settle(rows: Rows, handed: Sequence[Handed]) -> None:
    await rows.remove([each.row for each in handed if each.fate is Fate.DONE])
    await rows.put_off([each.row for each in handed if each.fate is Fate.UNANSWERED])
    for each in handed:
        if each.fate is Fate.REFUSED:
            await rows.set_aside(each.row, each.code, each.reason)
