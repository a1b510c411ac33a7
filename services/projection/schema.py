"""Where the read models live, and how a connection is bound to them."""

from pathlib import Path
from typing import TypeAlias

import asyncpg

from linstock.migrations import migrate, quoted

VIEWS = "views"
MIGRATIONS = Path(__file__).with_name("migrations")

Connection: TypeAlias = asyncpg.Connection


async def connect(database_url: str, schema: str = VIEWS) -> Connection:
    """A connection whose unqualified names are `schema`'s; times are UTC, so that rows print alike everywhere."""
    connection: Connection = await asyncpg.connect(
        database_url,
        timeout=5,
        command_timeout=60,
        server_settings={
            "search_path": quoted(schema),
            "TimeZone": "UTC",
            "application_name": "linstock-projection",
            "idle_in_transaction_session_timeout": "30s",
        },
    )
    return connection


async def prepare(connection: Connection, schema: str = VIEWS) -> None:
    await migrate(connection, schema, MIGRATIONS)
