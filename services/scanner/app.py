"""Wires the scanner: its log and relay, the index, the worker on the queue of scans, and the reactions."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
from faststream.nats import NatsBroker
from nats.aio.client import Client

from linstock import names
from linstock.bus.broker import make_broker
from linstock.bus.connection import connect
from linstock.bus.provision import provision_on
from linstock.bus.reactions import Reactions
from linstock.bus.watchdog import DurableWatchdog
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.relay import Relay
from linstock.jobs.worker import Worker
from linstock.migrations import migrate
from linstock.probes import Vitals
from linstock.settings import Settings
from services.scanner.index import Index, Pool
from services.scanner.journal import Journal
from services.scanner.reactions import Closings
from services.scanner.runner import Runner, utc_now

MIGRATIONS = Path(__file__).parent / "migrations"
SLOTS = 2
CONNECTIONS = 4


async def open_pool(dsn: str, schema: str) -> Pool:
    """Connections whose search path is the migrated schema."""
    connection = await asyncpg.connect(dsn)
    try:
        await migrate(connection, schema, MIGRATIONS)
    finally:
        await connection.close()
    return await asyncpg.create_pool(
        dsn, min_size=1, max_size=CONNECTIONS, command_timeout=60, server_settings={"search_path": schema}
    )


class App:
    """Everything that one scanner process runs. `start` and `stop` may be called twice."""

    def __init__(self, settings: Settings, vitals: Vitals, *, name: str = names.SCANNER) -> None:
        self._settings = settings
        self._vitals = vitals
        self._name = name
        self._log: PostgresLog | None = None
        self._pool: Pool | None = None
        self._relay: Relay | None = None
        self._client: Client | None = None
        self._broker: NatsBroker | None = None
        self._worker: Worker | None = None
        self._runner: Runner | None = None
        self._watchdog: DurableWatchdog | None = None
        self._executor: ThreadPoolExecutor | None = None

    async def start(self) -> None:
        """Raises what Postgres and NATS raise when they are away; `stop` then undoes what was begun."""
        url, nats_url = self._settings.database_url, self._settings.nats_url
        self._log = log = await PostgresLog.open(self._name, url)
        self._pool = await open_pool(url, self._name)
        self._client = client = await connect(nats_url, self._name)
        await provision_on(client)
        self._relay = Relay(log, dsn=url, nats=client)
        await self._relay.start()
        self._executor = ThreadPoolExecutor(SLOTS, "walk")
        journal = Journal(self._pool)
        self._runner = Runner(log, Index(self._pool), journal, executor=self._executor, publish=client.publish)
        closings = Closings(log, journal, stop_walk=self._runner.stop_walk, now=utc_now)
        self._broker = make_broker(nats_url, self._name)
        Reactions(self._broker, service=self._name, react=closings.react)
        await self._broker.start()
        self._worker = Worker(nats_url, queue=names.SCAN_QUEUE, slots=SLOTS, run=self._runner.run)
        await self._worker.start()
        await self._watch(client)

    async def stop(self) -> None:
        """Walks end at their next folder; their scans run again. The relay goes last, so their verdicts get out."""
        if self._runner:
            self._runner.stop()
        for part in (self._watchdog, self._worker, self._broker, self._relay):
            if part:
                await part.stop()
        if self._executor:
            await asyncio.to_thread(self._executor.shutdown)
        if self._client:
            await self._client.close()
        if self._pool:
            await self._pool.close()
        if self._log:
            await self._log.close()
        self.__init__(self._settings, self._vitals, name=self._name)  # type: ignore[misc]

    async def _watch(self, client: Client) -> None:
        self._watchdog = DurableWatchdog(
            client,
            (
                (names.EVENTS, names.reaction_durable(self._name)),
                (names.WORK, names.work_durable(names.SCAN_QUEUE)),
            ),
        )
        await self._watchdog.start()
        self._vitals.check("postgres", self._check_postgres)
        self._vitals.check("nats", self._check_nats)

    async def _check_postgres(self) -> str | None:
        if self._pool:
            await self._pool.fetchval("SELECT 1")
        return None

    async def _check_nats(self) -> str | None:
        if not self._client or not self._client.is_connected:
            return "not connected"
        return self._watchdog.problem if self._watchdog else None


def build(settings: Settings, vitals: Vitals) -> App:
    return App(settings, vitals)
