"""A projection that follows a real NATS into a real Postgres."""

from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client

from linstock.bus.connection import close, connect
from linstock.bus.provision import provision
from services.projection import schema
from services.projection.follower import Follower
from services.projection.schema import Connection
from tests.support.story import Story


@pytest.fixture
async def client(nats_url: str) -> AsyncIterator[Client]:
    await provision(nats_url)
    client = await connect(nats_url, "test")
    yield client
    await close(client)


@pytest.fixture
async def follower(database_url: str, nats_url: str, client: Client) -> AsyncIterator[Follower]:
    follower = Follower(database_url, nats_url)
    await follower.start()
    yield follower
    await follower.stop()


@pytest.fixture
async def views(database_url: str) -> AsyncIterator[Connection]:
    connection = await schema.connect(database_url)
    await schema.prepare(connection)
    yield connection
    await connection.close()


@pytest.fixture
def story() -> Story:
    return Story()
