"""Read models made again from EVENTS, compared with the live ones, and put in their place in one transaction."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from msgspec import Struct
from nats.aio.client import Client

from linstock.migrations import advisory_key, quoted
from services.projection import schema, store
from services.projection.chain import Position
from services.projection.checksum import Checksum, checksums
from services.projection.schema import VIEWS, Connection
from services.projection.scratch import Progress, Scratch

REBUILT = "views_rebuilt"
VERIFIED = "views_verified"
RETIRED = "views_retired"
NEW_EPOCH_WITHIN_S = 20.0
LOOK_EVERY_S = 0.2


class RebuildRuns(Exception):
    """Another rebuild or verification runs on this database; try again when it has ended."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class Comparison(Struct, frozen=True):
    """Both sides as of `positions`. `live` is None when the live tables are of another epoch: nothing to compare."""

    positions: dict[str, Position]
    live: dict[str, Checksum] | None
    rebuilt: dict[str, Checksum]

    @property
    def differing(self) -> list[str]:
        if self.live is None:
            return []
        return [table for table, checksum in self.rebuilt.items() if self.live[table] != checksum]


def _silent(_progress: Progress) -> None:
    return


async def verify(database_url: str, client: Client, report: Callable[[Progress], None] = _silent) -> Comparison:
    """Compare the live tables with what EVENTS says. Changes nothing; the live projection goes on meanwhile.

    Live tables of another epoch are about to be made again by their projection, and are waited for (20 s). Raises
    BrokenChain, EventsBehind, Poison, BadEnvelope, RebuildRuns.
    """
    until = time.monotonic() + NEW_EPOCH_WITHIN_S
    async with _beside(database_url, client, VERIFIED) as (live, scratch):
        comparison = await _compare(live, scratch, report)
        while comparison.live is None and time.monotonic() < until:
            await asyncio.sleep(LOOK_EVERY_S)
            comparison = await _compare(live, scratch, report)
        await scratch.drop()
        return comparison


async def rebuild(database_url: str, client: Client, report: Callable[[Progress], None] = _silent) -> Comparison:
    """Build from EVENTS beside the live tables, then switch. Readers see the old rows until the moment they see all
    the new ones; the live projection may go on meanwhile and goes on with the new rows.

    Raises as `verify` does; the live tables are untouched then.
    """
    async with _beside(database_url, client, REBUILT) as (live, scratch):
        comparison = await _compare(live, scratch, report)
        await scratch.to_end(report)
        await _switch(live, scratch, report)
        return comparison


async def start_over(database_url: str, client: Client) -> None:
    """Build from what EVENTS holds now and switch, also when that is less than the live tables reflect: for a log of
    a new epoch, whose old positions will never come again. What is still being published follows.

    Raises BrokenChain, Poison, BadEnvelope, RebuildRuns.
    """
    async with _beside(database_url, client, REBUILT) as (live, scratch):
        await scratch.to_end(_silent)
        await _switch(live, scratch, None)


@asynccontextmanager
async def _beside(database_url: str, client: Client, name: str) -> AsyncIterator[tuple[Connection, Scratch]]:
    live = await schema.connect(database_url)
    scratch = Scratch(database_url, client, name)
    try:
        if not await live.fetchval("SELECT pg_try_advisory_lock($1)", advisory_key("projection", "rebuild")):
            raise RebuildRuns
        await schema.prepare(live)
        await scratch.open()
        yield live, scratch
    finally:
        # Each closes also when the one before it is cancelled.
        try:
            await scratch.close()
        finally:
            await live.close()


async def _compare(live: Connection, scratch: Scratch, report: Callable[[Progress], None]) -> Comparison:
    async with live.transaction(isolation="repeatable_read", readonly=True):
        stands = await store.positions(live, lock=False)
        found = await checksums(live)
    await scratch.to(stands, report)
    same_epochs = all(scratch.positions[log].epoch == position.epoch for log, position in stands.items())
    return Comparison(stands, found if same_epochs else None, await checksums(scratch.connection))


async def _switch(live: Connection, scratch: Scratch, report: Callable[[Progress], None] | None) -> None:
    """With `report`, only once the new rows reflect all that the live ones do."""
    await scratch.connection.execute("ANALYZE")
    await live.execute(f"DROP SCHEMA IF EXISTS {quoted(RETIRED)} CASCADE")
    async with live.transaction():
        await live.execute("SET LOCAL lock_timeout = '10s'")
        # The live projection moves positions first thing in its transactions, so it waits here from now on.
        await live.execute("LOCK TABLE positions IN ACCESS EXCLUSIVE MODE")
        if report is not None:
            await scratch.past(await store.positions(live, lock=False), report)
        await live.execute(f"ALTER SCHEMA {quoted(VIEWS)} RENAME TO {quoted(RETIRED)}")
        await live.execute(f"ALTER SCHEMA {quoted(scratch.name)} RENAME TO {quoted(VIEWS)}")
    await live.execute(f"DROP SCHEMA IF EXISTS {quoted(RETIRED)} CASCADE")
