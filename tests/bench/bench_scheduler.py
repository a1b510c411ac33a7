"""How late a tick is: from its instant until it stands in EVENTS, where a consumer can have it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DeliverPolicy

from linstock import names
from linstock.bus.connection import close, connect
from linstock.bus.provision import provision
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Append, Origin
from linstock.messages.schedule import ScheduleEvent, TickFired, TicksSkipped
from tests.bench.figure import Figure, percentile
from tests.bench.servers import Servers, ready_service
from tests.support.schedules import defined

SCHEDULES = 1_000
WINDOW_S = 30.0  # half of all schedules are due in it
WARM_UP_S = 3.0
PROBES = 200

_EVENTS: msgspec.json.Decoder[ScheduleEvent] = msgspec.json.Decoder(ScheduleEvent)


async def tick_lateness(servers: Servers, *, repetitions: int, allowance_ms: float) -> list[Figure]:
    """Milliseconds from a tick's instant until a consumer of EVENTS has it, p99, with 1,000 schedules that are due once
    a minute, spread evenly over its seconds. The reference is a durable publish to the same consumer's machine."""
    samples, medians, bare = [], [], []
    async with ticking(servers, schedules=SCHEDULES) as lateness_s:
        client = await connect(servers.nats_url, "bench-bare")
        for _ in range(repetitions):
            lateness_s.clear()
            await asyncio.sleep(WINDOW_S)
            samples.append(percentile(lateness_s, 0.99) * 1000)
            medians.append(percentile(lateness_s, 0.5) * 1000)
            bare.append(percentile(await _bare_ms(client), 0.99))
        await close(client)
    return [
        Figure(
            name="tick lateness p99",
            unit="ms",
            samples=samples,
            at_most=25 + allowance_ms,
            reference="durable publish p99",
            reference_samples=bare,
        ),
        Figure(name="tick lateness p50", unit="ms", samples=medians),
    ]


@asynccontextmanager
async def ticking(servers: Servers, *, schedules: int) -> AsyncIterator[list[float]]:
    """A scheduler at work on that many schedules; the list grows by each tick's lateness in seconds.

    Postgres and this process share a clock: both read this machine's. Nobody runs the scans, so from its second minute
    on a schedule skips; the way of a skip is the same.
    """
    await provision(servers.nats_url)
    await _define(servers.database_url, schedules)
    lateness_s: list[float] = []

    async def on_tick(message: Msg) -> None:
        arrived = time.time()
        match _EVENTS.decode(message.data):
            case TickFired(verdict="fired", instant=instant) | TicksSkipped(reason="overlap", last=instant):
                lateness_s.append(arrived - instant.timestamp())
            case _:
                pass  # what was missed while the service started

    client = await connect(servers.nats_url, "bench-ticks")
    try:
        with ready_service(names.SCHEDULER, servers):
            # A JetStream consumer, not a plain subscription: it sees what is stored, not what is on its way.
            config = ConsumerConfig(deliver_policy=DeliverPolicy.NEW)
            subject = f"ev.{names.SCHEDULER}.*.schedule.*"
            await client.jetstream().subscribe(subject, stream=names.EVENTS, config=config, cb=on_tick)
            await asyncio.sleep(WARM_UP_S)
            yield lateness_s
    finally:
        await close(client)


async def _define(database_url: str, count: int) -> None:
    log = await PostgresLog.open(names.SCHEDULER, database_url)
    try:
        now = datetime.now(UTC)
        for first in range(0, count, 200):
            numbers = range(first, min(first + 200, count))
            await asyncio.gather(*(_define_one(log, number, now) for number in numbers))
    finally:
        await log.close()


async def _define_one(log: PostgresLog, number: int, now: datetime) -> None:
    event = defined(library_id=UUID(int=number + 1), name=f"L{number}", cron=f"{number % 60} * * * * *", cursor=now)
    origin = Origin(workspace=names.DEFAULT_WORKSPACE, actor="bench", at=now, correlation_id=uuid4())
    append = Append(aggregate="schedule", aggregate_id=event.schedule_id, expected_version=0, events=[event])
    await log.append([append], origin)


async def _bare_ms(client: Client) -> list[float]:
    js, spent = client.jetstream(), []
    for _ in range(PROBES):
        began = time.perf_counter()
        await js.publish(names.dlq_subject("bench", "bare"), b"x" * 300, stream=names.DLQ)
        spent.append((time.perf_counter() - began) * 1000)
    return spent
