"""A log in Postgres, EVENTS on NATS, and relays between the two."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from linstock import names
from linstock.bus.connection import connect_once
from linstock.bus.envelope import Delivered, from_message
from linstock.bus.provision import provision_on
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.relay import Relay

StartRelay = Callable[[], Awaitable[Relay]]
InEvents = Callable[[], Awaitable[list[Delivered]]]


@pytest.fixture
async def log(database_url: str) -> AsyncIterator[PostgresLog]:
    log = await PostgresLog.open(names.LIBRARY, database_url)
    yield log
    await log.close()


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def client(nats_url: str) -> AsyncIterator[Client]:
    client = await connect_once(nats_url, "test")
    await provision_on(client)
    yield client
    await client.close()


@pytest.fixture
async def start_relay(log: PostgresLog, client: Client, database_url: str) -> AsyncIterator[StartRelay]:
    relays: list[Relay] = []

    async def start() -> Relay:
        relays.append(Relay(log, dsn=database_url, nats=client))
        await relays[-1].start()
        return relays[-1]

    yield start
    for relay in relays:
        await relay.stop()


@pytest.fixture
def in_events(client: Client) -> InEvents:
    """Everything that EVENTS holds, in stream order; empty when there is no stream."""

    async def read() -> list[Delivered]:
        js = client.jetstream()
        try:
            last = (await js.stream_info(names.EVENTS)).state.last_seq
        except NotFoundError:
            return []
        found = [await js.get_msg(names.EVENTS, sequence) for sequence in range(1, last + 1)]
        return [from_message(message.headers, message.data or b"", subject=str(message.subject)) for message in found]

    return read
