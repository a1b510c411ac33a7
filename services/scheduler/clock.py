"""Postgres's clock, carried from measurement to measurement by the monotonic one. This machine's own clock decides
nothing: it is only compared, because one that is wrong confuses people and everything else on the machine.

`now()` is never ahead of Postgres (but for drift between two measurements, microseconds): each measurement bounds it
from below by what Postgres said and when the answer was here. It may lag by the fastest round trip of late.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from linstock.cancellation import cancel
from linstock.outage import plain

logger = structlog.get_logger(__name__)

STALE_AFTER_S = 3.0
MEASURE_EVERY_S = 1.0
MEASURE_TIMEOUT_S = 1.0
STEP_S = 1.0  # less is drift, or a measurement that took long
DISAGREE_S = 0.002  # measurements that contradict each other by more than this: Postgres's clock was set

OFF_S = 1.0  # between this machine's clock and Postgres's

NO_TIME = "PostgreSQL does not say what time it is, so no tick fires"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ClockStale(Exception):
    """Postgres's clock was not measured lately, so nobody knows what time it is."""


class PostgresClock:
    """Measures every second once started. `read` asks Postgres; `monotonic` counts seconds; `wall` is this machine's
    idea of the seconds since 1970."""

    def __init__(
        self,
        read: Callable[[], Awaitable[datetime]],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        stale_after_s: float = STALE_AFTER_S,
        every_s: float = MEASURE_EVERY_S,
    ) -> None:
        self._read = read
        self._monotonic = monotonic
        self._wall = wall
        self._stale_after_s = stale_after_s
        self._every_s = every_s
        self._offset_s: float | None = None  # Postgres's seconds since 1970 minus the monotonic clock, at least
        self._measured_s = 0.0
        self.stepped_s = 0.0
        """By how much Postgres's clock was set since the start, in all; what lasts is measured without it."""
        self.ahead_s = 0.0
        """By how much this machine's clock was ahead of Postgres's at the last measurement, at least."""
        self._task: asyncio.Task[None] | None = None

    def now(self) -> datetime | None:
        """None when the last measurement is more than 3 s old."""
        here = self._monotonic()
        if self._offset_s is None or here - self._measured_s > self._stale_after_s:
            return None
        return EPOCH + timedelta(seconds=self._offset_s + here)

    def require(self) -> datetime:
        """Raises ClockStale."""
        now = self.now()
        if now is None:
            raise ClockStale(ClockStale.__doc__)
        return now

    async def problem(self) -> str | None:
        """A sentence for readiness."""
        if self.now() is None:
            return NO_TIME
        if abs(self.ahead_s) <= OFF_S:
            return None
        return (
            f"this machine's clock is {_length(abs(self.ahead_s))} {'ahead of' if self.ahead_s > 0 else 'behind'} "
            f"PostgreSQL's, by which schedules fire: set the wrong one of them right (both by NTP)"
        )

    async def measure(self) -> None:
        """One measurement; raises what the reading raises."""
        asked, from_s = self._monotonic(), self._wall()
        said_s = (await self._read() - EPOCH).total_seconds()
        answered, until_s = self._monotonic(), self._wall()
        self.ahead_s = max(0.0, from_s - said_s) or min(0.0, until_s - said_s)
        lowest, highest = said_s - answered, said_s - asked
        kept = self._offset_s
        # The tightest bound so far stays while it is possible: a slow round trip must not make the clock jump back.
        possible = kept is not None and lowest <= kept <= highest + DISAGREE_S
        self._offset_s = kept if possible else lowest
        if kept is not None and not possible and abs(lowest - kept) > STEP_S:
            self.stepped_s += lowest - kept
        self._measured_s = asked

    async def start(self) -> None:
        """Raises what the first reading raises."""
        await self.measure()
        self._task = asyncio.create_task(self._keep_measuring(), name="postgres-clock")

    async def stop(self) -> None:
        if self._task:
            await cancel(self._task)
            self._task = None

    async def _keep_measuring(self) -> None:
        said = ""
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.measure()
            except Exception as error:  # asyncpg raises more than it says; a clock that gave up would never tick again
                if said != (said := plain(error)):  # once, not every second
                    logger.warning("Postgres's clock can't be read", reason=said, error=repr(error))
            else:
                said = ""


def _length(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


class ClockReader:
    """`clock_timestamp()` over a connection of its own, made again after a failure."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection | None = None

    async def read(self) -> datetime:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._dsn, timeout=MEASURE_TIMEOUT_S)
        try:
            said: datetime = await self._connection.fetchval("SELECT clock_timestamp()", timeout=MEASURE_TIMEOUT_S)
        except BaseException:
            self._connection.terminate()
            self._connection = None
            raise
        return said

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
