"""Jobs of an application: how fast they are asked for, run and shown; every event durable and in the read models."""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

import asyncpg

from linstock import Client, names
from tests.bench import jobs_app
from tests.bench.figure import Figure, percentile
from tests.bench.servers import Servers, ready_service

JOBS = 10_000
SINGLE = 300
IDLE = 200
GAP_S = 0.02
DELAYED = 20
DELAY_S = 2.0
CONCURRENCY = 100
DONE_WITHIN_S = 120
LOOK_EVERY_S = 0.01


async def jobs(servers: Servers, *, repetitions: int, allowance_ms: float) -> list[Figure]:
    """Everything in processes of its own, as it is run; one worker."""
    with ExitStack() as stack:
        for name in (names.SCHEDULER, names.PROJECTION, names.API):
            stack.enter_context(ready_service(name, servers, LINSTOCK_PORT="0"))
        async with Client(servers.nats_url) as client, _views(servers) as views:
            bulk, drain, behind = [], [], []
            for repetition in range(repetitions):
                bulk.append(await _enqueued_per_s(client))
                with worker(servers):
                    rate, lag_s = await _drained_per_s(views, JOBS * (repetition + 1))
                drain.append(rate)
                behind.append(lag_s)
            singles = [await _single_ms(client) for _ in range(SINGLE)]
            with worker(servers):
                await (await client.enqueue(jobs_app.noop)).wait(DONE_WITHIN_S)
                idle = [await _latency_ms(client) for _ in range(IDLE)]
                late = await _late_ms(client)
    return [
        Figure(name="no-op jobs, one worker", unit="jobs/s", samples=drain, at_least=2_000),
        Figure(name="read models behind at the end", unit="s", samples=behind, at_most=2),
        Figure(name="bulk enqueue", unit="jobs/s", samples=bulk, at_least=10_000),
        Figure(name="single enqueue p50", unit="ms", samples=[statistics.median(singles)]),
        Figure(name="single enqueue p99", unit="ms", samples=[percentile(singles, 0.99)], at_most=10 + allowance_ms),
        Figure(
            name="enqueue to start, idle, p50", unit="ms", samples=[statistics.median(idle)], at_most=8 + allowance_ms
        ),
        Figure(
            name="enqueue to start, idle, p99", unit="ms", samples=[percentile(idle, 0.99)], at_most=25 + allowance_ms
        ),
        Figure(name="late by, due in 2 s, longest", unit="ms", samples=[max(late)], at_most=25 + allowance_ms),
    ]


@contextmanager
def worker(servers: Servers, *, concurrency: int = CONCURRENCY) -> Iterator[subprocess.Popen[bytes]]:
    """One process; told to stop afterwards."""
    command = [
        sys.executable,
        "-m",
        "linstock",
        "worker",
        jobs_app.__name__,
        "--alone",
        "--concurrency",
        str(concurrency),
    ]
    environment = {**os.environ, "LINSTOCK_NATS_URL": servers.nats_url}
    with (servers.folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


@asynccontextmanager
async def _views(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(servers.database_url, server_settings={"search_path": "views"})
    try:
        yield connection
    finally:
        await connection.close()


async def _enqueued_per_s(client: Client) -> float:
    wanted = [jobs_app.noop.wanted((), {})] * JOBS
    began_s = time.perf_counter()
    await client.enqueue_wanted(wanted)
    return JOBS / (time.perf_counter() - began_s)


async def _drained_per_s(views: asyncpg.Connection, completed: int) -> tuple[float, float]:
    """From the start of the first to all Completed in the read models; and how long after the last verdict that was."""
    until_s = time.monotonic() + DONE_WITHIN_S
    while await views.fetchval("SELECT sum(jobs) FROM app_job_counts WHERE status = 'Completed'") != completed:
        assert time.monotonic() < until_s, "the jobs were not done in time"
        await asyncio.sleep(LOOK_EVERY_S)
    shown_s = time.time()
    row = await views.fetchrow(
        "SELECT extract(epoch FROM min(started_at))::float8, extract(epoch FROM max(ended_at))::float8"
        " FROM (SELECT started_at, ended_at FROM app_jobs ORDER BY ordinal DESC LIMIT $1) AS latest",
        JOBS,
    )
    assert row
    first, last = row
    return JOBS / (shown_s - first), max(0.0, shown_s - last)


async def _single_ms(client: Client) -> float:
    began_s = time.perf_counter()
    await client.delay(86_400, jobs_app.noop)
    return (time.perf_counter() - began_s) * 1000


async def _latency_ms(client: Client) -> float:
    began_s = time.time()
    handle = await client.enqueue(jobs_app.moment)
    started_s = await handle.result(float, DONE_WITHIN_S)
    await asyncio.sleep(GAP_S)
    return float((started_s - began_s) * 1000)


async def _late_ms(client: Client) -> list[float]:
    handles = [await client.delay(DELAY_S, jobs_app.moment) for _ in range(DELAYED)]
    due = [(await handle.status()).due for handle in handles]
    started = [await handle.result(float, DONE_WITHIN_S) for handle in handles]
    return [(began_s - at.timestamp()) * 1000 for began_s, at in zip(started, due, strict=True) if at]
