"""What applications need of Linstock, in this process: a scheduler, the read models, and who answers about them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import asyncpg
import httpx
import psycopg
import pytest

from linstock import Client, Job, Worker, names, outbox
from linstock.bus.provision import provision
from linstock.embedded import EmbeddedPostgres
from linstock.probes import Vitals
from linstock.settings import Settings
from services.api.app import ApiService
from services.projection.follower import Follower
from services.scheduler.app import Limits, SchedulerService
from tests.integration.jobs.relays import Database
from tests.support.servers import fresh_database
from tests.support.waiting import becomes

StartWorker = Callable[..., Awaitable[Worker]]


@pytest.fixture
def limits() -> Limits:
    """Of its scheduler."""
    return Limits(again_after_s=0.5)


@pytest.fixture
async def api(nats_url: str, database_url: str, limits: Limits) -> AsyncIterator[ApiService]:
    """With all that is behind it."""
    await provision(nats_url)
    scheduler = SchedulerService(
        Settings(service=names.SCHEDULER, database_url=database_url, nats_url=nats_url),
        Vitals(names.SCHEDULER),
        limits=limits,
    )
    follower = Follower(database_url, nats_url)
    api = ApiService(Settings(service="api", database_url=database_url, nats_url=nats_url, port=0))
    async with AsyncExitStack() as stack:
        for part in (scheduler, follower, api):
            stack.push_async_callback(part.stop)
            await part.start()
        await becomes(lambda: follower.problem, None)
        yield api


@pytest.fixture
async def linstock(api: ApiService, nats_url: str) -> str:
    """Where its NATS is."""
    return nats_url


@pytest.fixture
async def http(api: ApiService) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.port}/api/v1", timeout=20) as connected:
        yield connected


@pytest.fixture
async def client(linstock: str) -> AsyncIterator[Client]:
    async with Client(linstock) as connected:
        yield connected


@pytest.fixture
async def start_worker(linstock: str) -> AsyncIterator[StartWorker]:
    started: list[Worker] = []

    async def start(*jobs: Job[..., object], **options: object) -> Worker:
        worker = Worker(jobs, nats_url=linstock, **{"grace_s": 1.0, "ends_within_s": 0.5, **options})  # type: ignore[arg-type]
        started.append(worker)
        await worker.start()
        return worker

    yield start
    await asyncio.gather(*(worker.stop() for worker in started))


@pytest.fixture
def app_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The application's own database, which Linstock knows nothing of."""
    with fresh_database(postgres_server) as url:
        with psycopg.connect(url) as connection:
            connection.execute(outbox.DDL.encode())
            connection.execute(outbox.DDL.encode())
        yield url


@pytest.fixture
async def database(app_url: str) -> AsyncIterator[Database]:
    connection = await asyncpg.connect(app_url)
    yield connection
    await connection.close()
