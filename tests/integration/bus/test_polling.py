"""How commands and events are polled for, against what nats-py's `fetch` makes of it."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from nats.aio.client import Client

from linstock import names
from linstock.bus.broker import long_poll
from linstock.bus.connection import close, connect
from linstock.bus.provision import provision
from tests.support.waiting import becomes


@pytest.fixture
async def client(nats_url: str) -> AsyncIterator[Client]:
    await provision(nats_url)
    client = await connect(nats_url, "test")
    yield client
    await close(client)


async def test_a_request_left_behind_by_an_ended_poll_holds_no_message_back(client: Client) -> None:
    """Given a request that outlived its poll, when a command comes, then it is here at once, not when the poll ends."""
    durable, poll = names.command_durable(names.LIBRARY), long_poll()
    subscription = await client.jetstream().pull_subscribe_bind(durable=durable, stream=names.COMMANDS)
    left = msgspec.json.encode({"batch": poll.batch_size, "expires": 30 * 10**9})
    await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{names.COMMANDS}.{durable}", left, reply=subscription._deliver)

    async def waiting_requests() -> object:
        return (await client.jetstream().consumer_info(names.COMMANDS, durable)).num_waiting

    assert poll.timeout
    polling = asyncio.create_task(subscription.fetch(poll.batch_size, timeout=poll.timeout))
    await becomes(waiting_requests, 2)
    await client.jetstream().publish("cmd.library.default.CreateLibrary.x", b"{}")
    async with asyncio.timeout(poll.timeout / 2):
        messages = await polling
    assert [message.data for message in messages] == [b"{}"]
