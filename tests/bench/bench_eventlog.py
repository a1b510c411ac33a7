"""The log and its relay: how fast events are committed, carried to EVENTS, and how soon one is there."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder
from nats.aio.client import Client
from nats.aio.msg import Msg

from linstock import names
from linstock.bus.connection import close, connect
from linstock.bus.provision import provision_on
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Append, Origin
from linstock.eventlog.recorder import LogDatastore
from linstock.eventlog.relay import Relay
from linstock.messages.message import Message
from tests.bench.figure import Figure, percentile
from tests.bench.servers import Servers
from tests.support.waiting import POLL_S

RELAYED_EVENTS = 20_000
IDLE_APPENDS = 300
IDLE_GAP_S = 0.005
CALLERS = 200
APPENDS_PER_CALLER = 50
ONE_BY_ONE = 300


class Measured(Message, frozen=True, tag="linstock.bench.measured.v1"):
    """About as large as the events of a tick."""

    number: int
    note: str = "x" * 150


async def relay(servers: Servers, *, repetitions: int, allowance_ms: float) -> list[Figure]:
    """Events per second from Postgres to EVENTS, 20,000 behind. The reference publishes the same bytes with nats-py,
    100 at a time: no order, no fence."""
    del allowance_ms
    samples, bare = [], []
    async with _connected(servers) as client:
        for repetition in range(repetitions):
            async with _opened(f"relay{repetition}", servers) as log:
                await _fill(log, RELAYED_EVENTS)
                samples.append(RELAYED_EVENTS / await _relay_all(log, client, servers))
            bare.append(await _bare_publish_rate(client, repetition))
    reference = "nats-py publish, 100 at a time"
    return [
        Figure(name="relay", unit="events/s", samples=samples, at_least=12_000, reference=reference,
               reference_samples=bare)
    ]  # fmt: skip


async def append_to_events(servers: Servers, *, repetitions: int, allowance_ms: float) -> list[Figure]:
    """Milliseconds from calling `append` to an event's delivery from EVENTS, one event at a time, p99 of 300. The
    reference inserts one row with asyncpg, then publishes one message: the two fsyncs that it cannot do without."""
    samples, bare = [], []
    async with _connected(servers) as client, _opened("idle", servers) as log:
        relay = Relay(log, dsn=servers.database_url, nats=client)
        await relay.start()
        arrived: asyncio.Queue[str] = asyncio.Queue()

        async def arrive(message: Msg) -> None:
            assert message.headers
            arrived.put_nowait(message.headers["ce-id"])

        subscription = await client.jetstream().subscribe(names.events_of("idle"), ordered_consumer=True, cb=arrive)
        await _spent_until_delivered(log, arrived, 50)
        connection = await asyncpg.connect(servers.database_url)
        await connection.execute("CREATE TABLE bare (id uuid PRIMARY KEY, state bytea)")
        for _ in range(repetitions):
            samples.append(percentile(await _spent_until_delivered(log, arrived, IDLE_APPENDS), 0.99))
            bare.append(percentile(await _bare_insert_and_publish(connection, client), 0.99))
        await connection.close()
        await subscription.unsubscribe()
        await relay.stop()
    reference = "bare insert + publish p99"
    return [
        Figure(name="append → in EVENTS p99", unit="ms", samples=samples, at_most=10 + allowance_ms,
               reference=reference, reference_samples=bare)
    ]  # fmt: skip


async def group_commit(servers: Servers, *, repetitions: int, allowance_ms: float) -> list[Figure]:
    """Appends per second from 200 concurrent callers. References: the library's recorder called one by one, and rows
    inserted one by one with asyncpg."""
    del allowance_ms
    samples, recorder, rows = [], [], []
    connection = await asyncpg.connect(servers.database_url)
    await connection.execute("CREATE TABLE bare (id uuid PRIMARY KEY, state bytea)")
    async with _opened("grouped", servers) as log:
        await _append_concurrently(log)
        for _ in range(repetitions):
            samples.append(CALLERS * APPENDS_PER_CALLER / await _append_concurrently(log))
            recorder.append(ONE_BY_ONE / await asyncio.to_thread(_insert_with_recorder, servers.database_url))
            rows.append(ONE_BY_ONE / await _seconds(_insert_rows(connection)))
    await connection.close()
    return [
        Figure(name="group commit", unit="appends/s", samples=samples, at_least=10_000,
               reference="the library's recorder, one by one", reference_samples=recorder),
        Figure(name="asyncpg, one row at a time", unit="rows/s", samples=rows),
    ]  # fmt: skip


@asynccontextmanager
async def _connected(servers: Servers) -> AsyncIterator[Client]:
    client = await connect(servers.nats_url, "bench")
    await provision_on(client)
    yield client
    await close(client)


@asynccontextmanager
async def _opened(name: str, servers: Servers) -> AsyncIterator[PostgresLog]:
    log = await PostgresLog.open(name, servers.database_url)
    yield log
    await log.close()


def _origin() -> Origin:
    return Origin(workspace=names.DEFAULT_WORKSPACE, actor="bench", at=datetime.now(UTC), correlation_id=uuid4())


def _append(*numbers: int) -> Append:
    events = [Measured(number=number) for number in numbers]
    return Append(aggregate="bench", aggregate_id=uuid4(), expected_version=0, events=events)


async def _fill(log: PostgresLog, events: int) -> None:
    for first in range(0, events, 400):
        await log.append([_append(*range(first, first + 400))], _origin())


async def _relay_all(log: PostgresLog, client: Client, servers: Servers) -> float:
    relay = Relay(log, dsn=servers.database_url, nats=client)
    began = time.perf_counter()
    await relay.start()
    while not relay.lag().active or relay.lag().behind:
        await asyncio.sleep(POLL_S)
    spent = time.perf_counter() - began
    await relay.stop()
    return spent


async def _bare_publish_rate(client: Client, repetition: int) -> float:
    js, events = client.jetstream(), 2_000
    body = b"x" * 260
    headers = {f"ce-header-{number}": "x" * 30 for number in range(16)}

    async def publish(count: int) -> None:
        for _ in range(count):
            await js.publish(f"ev.bare{repetition}.default.bench.measured", body, headers=dict(headers))

    return events / await _seconds(asyncio.gather(*(publish(events // 100) for _ in range(100))))


async def _spent_until_delivered(log: PostgresLog, arrived: asyncio.Queue[str], count: int) -> list[float]:
    spent = []
    for number in range(count):
        began = time.perf_counter()
        (event,) = await log.append([_append(number)], _origin())
        while await asyncio.wait_for(arrived.get(), 10) != str(event.event_id):
            pass
        spent.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(IDLE_GAP_S)
    return spent


async def _bare_insert_and_publish(connection: asyncpg.Connection, client: Client) -> list[float]:
    spent, js = [], client.jetstream()
    for _ in range(IDLE_APPENDS):
        began = time.perf_counter()
        await connection.execute("INSERT INTO bare VALUES ($1, $2)", uuid4(), b"x" * 500)
        await js.publish("ev.bare.default.bench.measured", b"x" * 500)
        spent.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(IDLE_GAP_S)
    return spent


async def _append_concurrently(log: PostgresLog) -> float:
    async def caller() -> None:
        for number in range(APPENDS_PER_CALLER):
            await log.append([_append(number)], _origin())

    return await _seconds(asyncio.gather(*(caller() for _ in range(CALLERS))))


def _insert_with_recorder(dsn: str) -> float:
    datastore = LogDatastore(dsn, schema="public", pool_size=1)
    recorder = PostgresApplicationRecorder(datastore, events_table_name="plain_events")
    recorder.create_table()
    began = time.perf_counter()
    for _ in range(ONE_BY_ONE):
        recorder.insert_events([StoredEvent(uuid4(), 1, "linstock.bench.measured.v1", b"x" * 500)])
    spent = time.perf_counter() - began
    datastore.close()
    return spent


async def _insert_rows(connection: asyncpg.Connection) -> None:
    for _ in range(ONE_BY_ONE):
        await connection.execute("INSERT INTO bare VALUES ($1, $2)", uuid4(), b"x" * 500)


async def _seconds(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began
