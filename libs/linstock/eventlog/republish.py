"""Make EVENTS again from Postgres, under a new epoch: after Postgres went back in time, or the stream was damaged.

The stream can't be emptied (deny_delete, deny_purge), so it is deleted and provisioned; the relays of running services
fill it. Whoever follows EVENTS sees every event again, those of renewed logs under another epoch.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import asyncpg
from msgspec import Struct
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from linstock import names
from linstock.bus.provision import provision_on
from linstock.eventlog.history import History
from linstock.eventlog.stream import EventStream, StreamLost
from linstock.eventlog.verify import Progress

LOOK_EVERY_S = 0.2
PATIENCE_S = 15.0


class Refill(Struct, frozen=True):
    """Events of a log that are in EVENTS again, and those that are still to come (no relay runs, or not yet)."""

    log: str
    published: int
    missing: int


async def remake(client: Client, connection: asyncpg.Connection, renewed: Sequence[str]) -> None:
    """Returns when EVENTS stands again, empty. Epochs first: whoever finds the stream gone then fills it with these."""
    for log in renewed:
        await History(connection, log).renew_epoch()
    with contextlib.suppress(NotFoundError):
        await client.jetstream().delete_stream(names.EVENTS)
    await provision_on(client)


async def wait_for_relays(
    client: Client, connection: asyncpg.Connection, logs: Sequence[str], *, progress: Progress
) -> list[Refill]:
    """Until all is there, or nothing came for 15 s."""
    loop = asyncio.get_running_loop()
    seen, moved_at = -1, loop.time()
    while True:
        refills = [await _refill(client, connection, log) for log in logs]
        published = sum(refill.published for refill in refills)
        missing = sum(refill.missing for refill in refills)
        progress(published, published + missing)
        if published != seen:
            seen, moved_at = published, loop.time()
        if not missing or loop.time() - moved_at > PATIENCE_S:
            return refills
        await asyncio.sleep(LOOK_EVERY_S)


async def _refill(client: Client, connection: asyncpg.Connection, log: str) -> Refill:
    history = History(connection, log)
    try:
        standing = await EventStream(client, log).last()
    except StreamLost:
        standing = None
    # A message of the old epoch counts for nothing.
    here = standing is not None and standing.delivered.epoch == await history.epoch()
    position = standing.delivered.recorded.position if standing and here else 0
    missing = await history.count(position)
    return Refill(log, await history.count(0) - missing, missing)
