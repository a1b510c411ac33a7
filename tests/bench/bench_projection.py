"""The read models: how fast they are built again from EVENTS, and how soon an append is a row."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from msgspec import Raw
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig

from linstock import names
from linstock.bus.connection import close, connect
from linstock.bus.envelope import to_headers
from linstock.bus.provision import provision_on
from linstock.bus.pull import Pull
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Append, Origin
from linstock.eventlog.relay import Relay
from linstock.messages.job import JobStarted, JobSucceeded, ScanRequested
from linstock.messages.schedule import JobPolicy, ScanTarget, TickFired
from services.projection import schema
from services.projection.rebuild import rebuild as rebuild_views
from services.projection.schema import Connection
from tests.bench.figure import Figure, percentile
from tests.bench.servers import Servers, ready_service
from tests.support.recorded import NOON, RecordedLog

REBUILT_EVENTS = 40_000
UNACKED = 400

LAG_EVENTS_PER_S = 500
LAG_SECONDS = 6
WARM_UP_S = 1.0
LOOK_EVERY_S = 0.002


async def rebuild(servers: Servers, *, repetitions: int, allowance_ms: float) -> list[Figure]:
    """Events per second from EVENTS to switched tables: ticks, runs and their ends. The reference only takes the same
    messages from the same kind of consumer."""
    del allowance_ms
    samples, bare = [], []
    client = await connect(servers.nats_url, "bench")
    try:
        await provision_on(client)
        await _fill(client, REBUILT_EVENTS)
        for _ in range(repetitions):
            began = time.perf_counter()
            comparison = await rebuild_views(servers.database_url, client)
            samples.append(REBUILT_EVENTS / (time.perf_counter() - began))
            assert not comparison.differing, comparison.differing
            bare.append(REBUILT_EVENTS / await _take_all(client, REBUILT_EVENTS))
    finally:
        await close(client)
    reference = "taking the messages only"
    return [
        Figure(name="projection rebuild", unit="events/s", samples=samples, at_least=12_000,
               reference=reference, reference_samples=bare)
    ]  # fmt: skip


async def lag(servers: Servers, *, repetitions: int, allowance_ms: float) -> list[Figure]:
    """Milliseconds from calling `append` to the row being visible to another connection, at 500 events/s for 6 s, p99.
    The projection runs as a process of its own. The reference is the median of the same run."""
    p99s, medians = [], []
    client = await connect(servers.nats_url, "bench")
    await provision_on(client)
    log = await PostgresLog.open(names.SCHEDULER, servers.database_url)
    relay = Relay(log, dsn=servers.database_url, nats=client)
    await relay.start()
    views = await schema.connect(servers.database_url)
    try:
        with ready_service(names.PROJECTION, servers):
            for _ in range(repetitions):
                spent_ms = await _lags_ms(log, views)
                p99s.append(percentile(spent_ms, 0.99))
                medians.append(percentile(spent_ms, 0.5))
    finally:
        await views.close()
        await relay.stop()
        await log.close()
        await close(client)
    return [
        Figure(name="append → visible row p99", unit="ms", samples=p99s, at_most=50 + allowance_ms,
               reference="p50 of the same", reference_samples=medians)
    ]  # fmt: skip


def _run(log: RecordedLog, schedule_id: UUID, target: ScanTarget, number: int) -> None:
    """Four events: a tick, its run, its start, its end."""
    job_id, at = uuid4(), NOON + timedelta(minutes=number)
    fired = TickFired(schedule_id=schedule_id, instant=at, job_id=job_id, verdict="fired", missed_count=0,
                      version=1, tzdata="2026f")  # fmt: skip
    log.says(schedule_id, fired)
    log.says(
        job_id,
        _request(job_id, schedule_id, target, at),
        JobStarted(job_id=job_id, attempt=1, worker="w", lease=uuid4(), at=at, deadline=at),
        JobSucceeded(job_id=job_id, attempt=1, at=at, result=Raw(b"{}")),
    )


def _request(job_id: UUID, schedule_id: UUID, target: ScanTarget, at: datetime) -> ScanRequested:
    return ScanRequested(job_id=job_id, schedule_id=schedule_id, instant=at, triggered_by="Scheduler", target=target,
                         policy=JobPolicy(), requested_at=at)  # fmt: skip


def _target() -> ScanTarget:
    return ScanTarget(library_id=uuid4(), library_name="Pictures", library_path="/data/pictures")


async def _fill(client: Client, events: int) -> None:
    log, schedule_id, target = RecordedLog(names.SCHEDULER), uuid4(), _target()
    for number in range(events // 4):
        _run(log, schedule_id, target, number)
    js = client.jetstream()
    for count, delivered in enumerate(log.deliveries, 1):
        recorded = delivered.recorded
        subject = names.event_subject(recorded.log, recorded.workspace, recorded.type)
        headers = to_headers(recorded, previous=delivered.previous, epoch=delivered.epoch)
        if count % UNACKED:
            # One connection keeps its order; only every 400th waits, so that the server is never flooded.
            await client.publish(subject, bytes(recorded.data), headers=headers)
        else:
            await js.publish(subject, bytes(recorded.data), headers=headers, timeout=30)
    while (await js.stream_info(names.EVENTS)).state.messages < events:
        await asyncio.sleep(LOOK_EVERY_S)


async def _take_all(client: Client, events: int) -> float:
    js = client.jetstream()
    name = f"bench-{uuid4().hex}"
    await js.add_consumer(names.EVENTS, ConsumerConfig(name=name, ack_policy=AckPolicy.NONE, mem_storage=True))
    pull, taken, began = Pull(client, stream=names.EVENTS, consumer=name, ahead=10_000), 0, time.perf_counter()
    await pull.open()
    while taken < events:
        taken += len(await pull.take(4_000))
    spent = time.perf_counter() - began
    await pull.close()
    await js.delete_consumer(names.EVENTS, name)
    return spent


async def _lags_ms(log: PostgresLog, views: Connection) -> list[float]:
    """Appends on a beat, whatever the ones before are doing; the first second is not counted."""
    began: dict[int, float] = {}
    lags: list[float] = []
    appending = asyncio.create_task(_append_on_a_beat(log, began))
    counted_from = time.perf_counter() + WARM_UP_S
    while not appending.done() or began:
        position = await views.fetchval("SELECT position FROM positions WHERE log = $1", log.name) or 0
        seen = time.perf_counter()
        for shown in [each for each in began if each <= position]:
            appended = began.pop(shown)
            if appended >= counted_from:
                lags.append((seen - appended) * 1000)
        await asyncio.sleep(LOOK_EVERY_S)
    await appending
    return lags


async def _append_on_a_beat(log: PostgresLog, began: dict[int, float]) -> None:
    schedule_id, target = uuid4(), _target()
    start, appends = time.perf_counter(), []
    for number in range(LAG_EVENTS_PER_S * LAG_SECONDS):
        await asyncio.sleep(max(0.0, start + number / LAG_EVENTS_PER_S - time.perf_counter()))
        appends.append(asyncio.create_task(_append(log, schedule_id, target, began)))
    await asyncio.gather(*appends)


async def _append(log: PostgresLog, schedule_id: UUID, target: ScanTarget, began: dict[int, float]) -> None:
    job_id, at, begun = uuid4(), datetime.now(UTC), time.perf_counter()
    append = Append(aggregate="job", aggregate_id=job_id, expected_version=0,
                    events=[_request(job_id, schedule_id, target, at)])  # fmt: skip
    origin = Origin(workspace=names.DEFAULT_WORKSPACE, actor="bench", at=at, correlation_id=job_id)
    [recorded] = await log.append([append], origin)
    began[recorded.position] = begun
