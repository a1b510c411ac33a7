"""What stands is never changed; what is missing is made; what differs is refused."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client
from nats.js.api import ConsumerConfig, StreamConfig

from linstock import names
from linstock.bus.broker import make_broker
from linstock.bus.connection import close, connect
from linstock.bus.inbox import CommandInbox
from linstock.bus.provision import Drift, durables, provision, provision_on, streams
from linstock.bus.watchdog import DurableWatchdog
from linstock.eventlog.memory import MemoryLog
from linstock.messages.library import LibraryCommand
from linstock.roots import AllowedRoots
from services.library.commands import LibraryPlanner


@pytest.fixture
async def client(nats_url: str) -> AsyncIterator[Client]:
    client = await connect(nats_url, "test")
    yield client
    await close(client)


async def test_twice_and_at_once_is_the_same_as_once(nats_url: str, client: Client) -> None:
    await asyncio.gather(provision(nats_url), provision(nats_url))
    await provision(nats_url)
    stand = {info.config.name for info in await client.jetstream().streams_info()}
    assert stand == {stream.name for stream in streams(1)}


async def test_events_can_be_neither_deleted_from_nor_purged(client: Client) -> None:
    await provision_on(client)
    config = (await client.jetstream().stream_info(names.EVENTS)).config
    assert config.deny_delete
    assert config.deny_purge
    assert (config.max_msgs, config.max_bytes, config.max_age) == (-1, -1, 0)


async def test_no_durable_can_lose_a_message_silently(client: Client) -> None:
    await provision_on(client)
    for stream, durable in durables():
        assert durable.name
        config = (await client.jetstream().consumer_info(stream, durable.name)).config
        assert config
        assert config.max_deliver in (None, -1)
        assert not config.inactive_threshold


async def test_a_stream_with_other_settings_is_refused_and_named(client: Client) -> None:
    await client.jetstream().add_stream(StreamConfig(name=names.COMMANDS, subjects=[names.ALL_COMMANDS]))
    with pytest.raises(Drift, match=r"stream COMMANDS: .*retention is limits, wanted workqueue"):
        await provision_on(client)


async def test_a_durable_with_other_settings_is_refused_and_named(client: Client) -> None:
    await provision_on(client)
    other = ConsumerConfig(durable_name=names.PROJECTION_DURABLE, filter_subject="ev.library.>", ack_wait=30)
    await client.jetstream().delete_consumer(names.EVENTS, names.PROJECTION_DURABLE)
    await client.jetstream().add_consumer(names.EVENTS, other)
    with pytest.raises(Drift, match=r"durable projection: filter_subject is ev\.library\.>, wanted ev\.>"):
        await provision_on(client)


async def test_our_broker_leaves_a_stream_as_it_stands(nats_url: str, client: Client) -> None:
    """FastStream's default `declare=True` rewrites an existing stream to its own settings."""
    await provision_on(client)
    before = (await client.jetstream().stream_info(names.COMMANDS)).config
    broker = make_broker(nats_url, "test")
    log = MemoryLog(names.LIBRARY)
    CommandInbox(
        broker, log=log, service=names.LIBRARY, commands=LibraryCommand, plan=LibraryPlanner(log, AllowedRoots(())).plan
    )
    await broker.start()
    await broker.stop()
    assert (await client.jetstream().stream_info(names.COMMANDS)).config == before


async def test_a_durable_deleted_at_run_time_is_made_again(client: Client) -> None:
    await provision_on(client)
    js = client.jetstream()
    await js.delete_consumer(names.COMMANDS, names.command_durable(names.LIBRARY))
    watchdog = DurableWatchdog(client, names.LIBRARY)
    await watchdog.look()
    assert await js.consumer_info(names.COMMANDS, names.command_durable(names.LIBRARY))
    assert watchdog.problem is None


async def test_a_dlq_deleted_at_run_time_is_made_again(client: Client) -> None:
    """Without it no unreadable message could be put aside."""
    await provision_on(client)
    js = client.jetstream()
    await js.delete_stream(names.DLQ)
    await DurableWatchdog(client, names.LIBRARY).look()
    assert (await js.stream_info(names.DLQ)).config.name == names.DLQ
