"""Whether a library is there, as the read models know it."""

import asyncio
from uuid import UUID

from nats.js.errors import NotFoundError

from linstock import names
from linstock.bus.envelope import from_message
from services.api.context import Context
from services.api.queries import libraries

KNOWN_WITHIN_S = 0.3  # an event is relayed within milliseconds
LOOK_EVERY_S = 0.02


async def may_be_there(context: Context, library_id: UUID) -> bool:
    """The scheduler hears of a new library a moment later and waits for it; nobody should wait for a library that is
    not there at all. False: it is surely not. Raises what NATS and Postgres raise when they are away."""
    loop = asyncio.get_running_loop()
    until = loop.time() + KNOWN_WITHIN_S
    while await libraries.one(context.pool, context.workspace, library_id) is None:
        if loop.time() >= until:
            return not await _up_to_date(context)  # behind: its owner knows
        await asyncio.sleep(LOOK_EVERY_S)
    return True


async def _up_to_date(context: Context) -> bool:
    """Whether the read models reflect every library event of EVENTS."""
    try:
        last = await context.client.jetstream().get_last_msg(names.EVENTS, names.events_of(names.LIBRARY))
    except NotFoundError:
        return True
    position = from_message(last.headers, last.data or b"", subject=last.subject or "").recorded.position
    return await context.freshness.reached({names.LIBRARY: position}, within_s=0)
