"""A million schedules in one scheduler: how long a start takes, how much memory, and how soon an edit counts."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DeliverPolicy

from linstock import names
from linstock.bus.commands import CommandSender
from linstock.bus.connection import close, connect
from linstock.bus.provision import provision
from linstock.messages.answer import Answer
from linstock.messages.schedule import ChangeSchedule, ScheduleEvent, TickFired
from tests.bench.bench_scheduler import define, yearly
from tests.bench.figure import Figure, percentile
from tests.bench.servers import Servers, ready_service

SCHEDULES = 1_000_000
FIRST_START_S = 600
EDITS = 20
LEAD_S = 0.05
RELAYED_WITHIN_S = 600
FIRED_WITHIN_S = 2.0

_EVENTS: msgspec.json.Decoder[ScheduleEvent] = msgspec.json.Decoder(ScheduleEvent)


async def million(servers: Servers, *, repetitions: int, allowance_ms: float) -> list[Figure]:
    """Seconds from the start of the process until it is ready, with the index stored by the start before; its memory;
    and, of 20 edits that give a schedule an instant 50 ms ahead, the longest time from sending the command until that
    instant's tick stands in EVENTS. The reference is the very first start, which reads the whole log."""
    await provision(servers.nats_url)
    schedules = yearly(SCHEDULES)
    await define(servers.database_url, schedules)
    began = time.monotonic()
    with ready_service(names.SCHEDULER, servers, within_s=FIRST_START_S):
        first_s = time.monotonic() - began
        await _relayed(servers, SCHEDULES)
    starts, memory, edits = [], [], []
    for repetition in range(repetitions):
        began = time.monotonic()
        with ready_service(names.SCHEDULER, servers, within_s=FIRST_START_S) as process:
            starts.append(time.monotonic() - began)
            async with _ticks(servers) as (client, arrived):
                chosen = [schedules[repetition * EDITS + number][0] for number in range(EDITS)]
                edits.append(percentile(await _edits_ms(client, arrived, chosen), 0.99))
            memory.append(_memory_mb(process.pid))
    return [
        Figure(
            name="1,000,000 schedules: a start", unit="s", samples=starts, at_most=20,
            reference="the first, from the log alone", reference_samples=[first_s],
        ),
        Figure(name="1,000,000 schedules: memory", unit="MB", samples=memory, at_most=1000),
        Figure(
            name="1,000,000 schedules: an edit, 50 ms before its instant, until that stands in EVENTS", unit="ms",
            samples=edits, at_most=100 + allowance_ms,
        ),
    ]  # fmt: skip


async def _relayed(servers: Servers, count: int) -> None:
    client = await connect(servers.nats_url, "bench-relayed")
    until = time.monotonic() + RELAYED_WITHIN_S
    while (await client.jetstream().stream_info(names.EVENTS)).state.messages < count:
        assert time.monotonic() < until, "the relay did not get through"
        await asyncio.sleep(1)
    await close(client)


@asynccontextmanager
async def _ticks(servers: Servers) -> AsyncIterator[tuple[Client, dict[UUID, float]]]:
    """When each schedule's last tick was here, in seconds since 1970."""
    arrived: dict[UUID, float] = {}

    async def on_tick(message: Msg) -> None:
        event = _EVENTS.decode(message.data)
        if isinstance(event, TickFired):
            arrived[event.schedule_id] = time.time()

    client = await connect(servers.nats_url, "bench-million")
    config = ConsumerConfig(deliver_policy=DeliverPolicy.NEW)
    subject = f"ev.{names.SCHEDULER}.*.schedule.*"
    await client.jetstream().subscribe(subject, stream=names.EVENTS, config=config, cb=on_tick)
    try:
        yield client, arrived
    finally:
        await close(client)


async def _edits_ms(client: Client, arrived: dict[UUID, float], chosen: list[int]) -> list[float]:
    sender, spent = CommandSender(client), []
    await sender.start()
    for number in chosen:
        schedule_id = names.schedule_of(UUID(int=number + 1))
        instant = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
        cron = f"{instant.second} {instant.minute} {instant.hour} {instant.day} {instant.month} *"
        command = ChangeSchedule(schedule_id=schedule_id, expression=cron)
        await asyncio.sleep(instant.timestamp() - LEAD_S - time.time())
        sent = time.time()
        answer = await sender.send(names.SCHEDULER, names.DEFAULT_WORKSPACE, command, actor="bench")
        assert isinstance(answer, Answer)
        assert answer.status == 200, answer
        while schedule_id not in arrived:
            assert time.time() < sent + FIRED_WITHIN_S, f"the edit of {schedule_id} came too late for its instant"
            await asyncio.sleep(0.001)
        spent.append((arrived[schedule_id] - sent) * 1000)
    return spent


def _memory_mb(pid: int) -> float:
    """At most so much until now."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
