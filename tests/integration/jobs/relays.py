"""Relays while a test goes on, and what they have left."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg

from linstock.outbox.relay import Relay

Database: TypeAlias = "asyncpg.Connection[Any]"


def rows_left(database: Database) -> Any:
    return lambda: database.fetchval("SELECT count(*) FROM linstock_outbox")


@asynccontextmanager
async def runs(relay: Relay) -> AsyncIterator[None]:
    running = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        relay.stop()
        await asyncio.wait_for(running, 10)
