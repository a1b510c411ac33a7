"""How late a tick is: from its instant until it stands in EVENTS, where a consumer can have it."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
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
SETTLED_S = 0.5
PROBES = 200
LOADED = 100_000
PER_S = 100
BURST = 10_000
BURST_AHEAD_S = 15
BURST_WITHIN_S = 30

_EVENTS: msgspec.json.Decoder[ScheduleEvent] = msgspec.json.Decoder(ScheduleEvent)


async def tick_lateness(servers: Servers, *, repetitions: int, allowance_ms: float) -> list[Figure]:
    """Milliseconds from a tick's instant until a consumer of EVENTS has it, p99, with 1,000 schedules that are due once
    a minute, spread evenly over its seconds. The reference is a durable publish to the same consumer's machine."""
    samples, medians, bare = [], [], []
    async with ticking(servers, minutely(SCHEDULES)) as lateness_s:
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


async def many_loaded(servers: Servers, *, repetitions: int, allowance_ms: float) -> list[Figure]:
    """The same with 100,000 schedules in memory, of which 100 are due each second; then what 10,000 that are due in one
    second take, until the last of their ticks stands in EVENTS."""
    samples, bare = [], []
    schedules = [*minutely(PER_S * 60), *yearly(LOADED - PER_S * 60)]
    async with ticking(servers, schedules) as lateness_s:
        client = await connect(servers.nats_url, "bench-bare")
        for _ in range(repetitions):
            lateness_s.clear()
            await asyncio.sleep(WINDOW_S)
            assert len(lateness_s) > PER_S * WINDOW_S * 0.9, len(lateness_s)
            samples.append(percentile(lateness_s, 0.99) * 1000)
            bare.append(percentile(await _bare_ms(client), 0.99))
        bursts = [await _burst_s(servers, lateness_s, repetition) for repetition in range(repetitions)]
        await close(client)
    return [
        Figure(
            name="tick lateness p99, 100,000 loaded, 100/s",
            unit="ms",
            samples=samples,
            at_most=25 + allowance_ms,
            reference="durable publish p99",
            reference_samples=bare,
        ),
        Figure(name="10,000 due in one second: the last in EVENTS", unit="s", samples=bursts, at_most=3),
    ]


async def _burst_s(servers: Servers, lateness_s: list[float], repetition: int) -> float:
    """Seconds from the instant at which 10,000 are due until the last tick of it was consumed."""
    instant = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=BURST_AHEAD_S)
    cron = f"{instant.second} {instant.minute} {instant.hour} {instant.day} {instant.month} *"
    first = LOADED + repetition * BURST
    await define(servers.database_url, [(first + number, cron) for number in range(BURST)])
    assert datetime.now(UTC) < instant, "defining them took too long"
    lateness_s.clear()
    # What is due every second besides is among them.
    until = instant.timestamp() + BURST_WITHIN_S
    while time.time() < until:
        await asyncio.sleep(0.05)
        if time.time() > instant.timestamp() and len(lateness_s) >= BURST + PER_S * (time.time() - instant.timestamp()):
            break
    return time.time() - instant.timestamp()


def minutely(count: int) -> list[tuple[int, str]]:
    """Numbers and expressions: each is due once a minute, spread evenly over its seconds."""
    return [(number, f"{number % 60} * * * * *") for number in range(count)]


def yearly(count: int) -> list[tuple[int, str]]:
    """Never due while anybody measures."""
    first = 10_000_000
    day = datetime.now(UTC) - timedelta(days=2)
    return [(first + number, f"{number % 60} {number % 24} {day.day} {day.month} *") for number in range(count)]


@asynccontextmanager
async def ticking(servers: Servers, schedules: Sequence[tuple[int, str]]) -> AsyncIterator[list[float]]:
    """A scheduler at work on these schedules; the list grows by each tick's lateness in seconds.

    Postgres and this process share a clock: both read this machine's. Nobody runs the scans, so from its second minute
    on a schedule skips; the way of a skip is the same.
    """
    await provision(servers.nats_url)
    await define(servers.database_url, schedules)
    lateness_s: list[float] = []

    async def on_tick(message: Msg) -> None:
        arrived = time.time()
        match _EVENTS.decode(message.data):
            case TickFired(verdict="fired" | "late", instant=instant) | TicksSkipped(reason="overlap", last=instant):
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
            # The relay has what was defined to carry over first.
            while not lateness_s or lateness_s[-1] > SETTLED_S:
                await asyncio.sleep(WARM_UP_S)
            yield lateness_s
    finally:
        await close(client)


async def define(database_url: str, schedules: Sequence[tuple[int, str]]) -> None:
    log = await PostgresLog.open(names.SCHEDULER, database_url)
    try:
        now = datetime.now(UTC)
        origin = Origin(workspace=names.DEFAULT_WORKSPACE, actor="bench", at=now, correlation_id=uuid4())
        for first in range(0, len(schedules), 500):
            await log.append([_definition(*each, now) for each in schedules[first : first + 500]], origin)
    finally:
        await log.close()


def _definition(number: int, cron: str, now: datetime) -> Append:
    event = defined(library_id=UUID(int=number + 1), name=f"Holiday pictures {number}", cron=cron, cursor=now)
    return Append(aggregate="schedule", aggregate_id=event.schedule_id, expected_version=0, events=[event])


async def _bare_ms(client: Client) -> list[float]:
    js, spent = client.jetstream(), []
    for _ in range(PROBES):
        began = time.perf_counter()
        await js.publish(names.dlq_subject("bench", "bare"), b"x" * 300, stream=names.DLQ)
        spent.append((time.perf_counter() - began) * 1000)
    return spent
