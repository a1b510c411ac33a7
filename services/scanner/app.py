"""Wires the scanner: its log, the index, the worker on the queue of scans, and the reactions."""

import asyncio
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import asyncpg

from linstock import names
from linstock.bus.commands import CommandSender
from linstock.bus.inbox import CommandInbox
from linstock.bus.reactions import Reactions
from linstock.bus.thumbnails import Thumbnails
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Recorded
from linstock.jobs.order_runner import OrderRunner
from linstock.jobs.orders import Device, Order
from linstock.lifecycle import Service
from linstock.messages.job import ScanRequested
from linstock.migrations import migrate
from linstock.outage import postgres_problem
from linstock.owner import Owner
from linstock.probes import Vitals
from linstock.roots import AllowedRoots
from linstock.settings import Settings
from services.scanner.commands import Command, Planner
from services.scanner.devices import device_of
from services.scanner.enrichment.cleaning import Cleaner
from services.scanner.enrichment.enricher import Enricher
from services.scanner.enrichment.known import KnownImages
from services.scanner.enrichment.reader import Reader
from services.scanner.enrichment.remaking import Remaking
from services.scanner.folders import Pool
from services.scanner.index import Index
from services.scanner.journal import Journal
from services.scanner.opened import OpenedArchives
from services.scanner.reactions import Closings
from services.scanner.runner import Runner, utc_now
from services.scanner.watching.roster import Roster
from services.scanner.watching.watchers import Watchers

MIGRATIONS = Path(__file__).parent / "migrations"
SLOTS = 8
ENRICH_SLOTS = 1
CONNECTIONS = 14
LOOK_WITHIN_S = 2.0


def build(settings: Settings, vitals: Vitals) -> Service:
    return ScannerService(settings, vitals)


async def open_pool(dsn: str, schema: str) -> Pool:
    """Connections whose search path is the migrated schema. Raises what Postgres raises when it is away."""
    connection = await asyncpg.connect(dsn)
    try:
        await migrate(connection, schema, MIGRATIONS)
    finally:
        await connection.close()
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=CONNECTIONS,
        command_timeout=60,
        server_settings={"search_path": schema},
        reset=_nothing_to_reset,
    )


async def _nothing_to_reset(connection: asyncpg.Connection) -> None:
    """Nobody sets, listens to or locks anything beyond a transaction: asking Postgres to forget it would be a second
    round trip for each query."""


class ScannerService:
    """One scanner process: runs at most eight scans at once, each on a thread of its own, and few of them on one
    device."""

    def __init__(self, settings: Settings, vitals: Vitals) -> None:
        self._settings = settings
        self._vitals = vitals
        self._owner = Owner(names.SCANNER, settings, vitals)
        self._pool: Pool | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._looks = ThreadPoolExecutor(SLOTS, "device")
        self._runner: Runner | None = None
        self._reader = Reader()
        self._workers: list[OrderRunner] = []
        self._remaking: Remaking | None = None
        self._watchers: Watchers | None = None

    async def start(self) -> None:
        log = await self._owner.open()
        self._pool = await open_pool(self._settings.database_url, names.SCANNER)
        self._executor = ThreadPoolExecutor(SLOTS, "walk")
        roots = AllowedRoots(self._settings.allow_roots)
        known = KnownImages(self._pool)
        thumbnails = Thumbnails(self._owner.client, most_mib=self._settings.thumbnails_mib)
        self._runner = self._make_runner(log, self._pool, self._executor, roots, known)
        enricher = self._make_enricher(log, known, thumbnails, self._runner, roots)
        roster = Roster(self._pool)
        durable = names.library_durable(names.SCANNER)
        Reactions(self._owner.broker, service=names.SCANNER, react=roster.react, durable=durable)
        self._react(log, self._runner, enricher)
        self._vitals.check("index", self._index)
        await self._owner.start()
        self._remaking = Remaking(self._owner.client, known, reader=self._reader, thumbnails=thumbnails, roots=roots)
        await self._remaking.start()
        url, runner = self._settings.nats_url, self._runner
        self._workers = [
            OrderRunner(url, queues=(names.SCAN_QUEUE,), slots=SLOTS, run=runner.run, device_of=self._device_of),
            OrderRunner(url, queues=(names.ENRICH_QUEUE,), slots=ENRICH_SLOTS, run=enricher.run),
            OrderRunner(url, queues=(names.MAINTENANCE_QUEUE,), slots=1, run=Cleaner(log, roster, thumbnails).run),
        ]
        for worker in self._workers:
            await worker.start()
        sender = CommandSender(self._owner.client, disk=self._owner.disk)
        await sender.start()
        self._watchers = Watchers(roster, sender, self._owner.client.publish, roots=roots)
        await self._watchers.start()

    async def stop(self) -> None:
        """Walks end at their next folder, and their scans run again; the log goes last, so that it says so."""
        if self._watchers:
            await self._watchers.stop()
            self._watchers = None
        if self._runner:
            self._runner.stop()
            self._runner = None
        if self._remaking:
            await self._remaking.stop()
            self._remaking = None
        workers, self._workers = self._workers, []
        await asyncio.gather(*(worker.stop() for worker in workers))
        await self._reader.stop()
        await self._owner.stop()
        if self._executor:
            self._executor.shutdown(wait=False)
            self._executor = None
        self._looks.shutdown(wait=False)
        if self._pool:
            # A pool waits for its users; after this long they are stuck in a database that is away.
            try:
                await asyncio.wait_for(self._pool.close(), 1)
            except TimeoutError:
                self._pool.terminate()
            self._pool = None

    def _make_runner(
        self, log: PostgresLog, pool: Pool, executor: ThreadPoolExecutor, roots: AllowedRoots, known: KnownImages
    ) -> Runner:
        return Runner(
            log,
            Index(pool),
            OpenedArchives(pool),
            Journal(pool),
            executor=executor,
            publish=self._owner.client.publish,
            disk=self._owner.disk,
            roots=roots,
            count_unread=known.count_unread,
        )

    def _make_enricher(
        self, log: PostgresLog, known: KnownImages, thumbnails: Thumbnails, runner: Runner, roots: AllowedRoots
    ) -> Enricher:
        assert self._pool
        return Enricher(
            log,
            Index(self._pool),
            known,
            reader=self._reader,
            thumbnails=thumbnails,
            busy=lambda: runner.busy,
            disk=self._owner.disk,
            roots=roots,
        )

    def _react(self, log: PostgresLog, runner: Runner, enricher: Enricher) -> None:
        assert self._pool
        closings = Closings(log, Journal(self._pool), stop_walk=runner.stop_walk, now=utc_now)

        async def react(recorded: Recorded) -> None:
            await enricher.react(recorded)
            await closings.react(recorded)

        Reactions(self._owner.broker, service=names.SCANNER, react=react, durable=names.CLOSINGS_DURABLE)
        CommandInbox(
            self._owner.broker,
            log=log,
            service=names.SCANNER,
            commands=Command,
            plan=Planner(log, Index(self._pool)).plan,
        )

    async def _device_of(self, order: Order) -> Device:
        """A mount that does not answer is none that is known: its scan finds out."""
        request = order.request
        if not isinstance(request, ScanRequested):
            return Device()
        root, host = os.fsencode(request.target.library_path), socket.gethostname()
        looking = asyncio.get_running_loop().run_in_executor(self._looks, partial(device_of, root, host=host))
        try:
            return Device(await asyncio.wait_for(looking, LOOK_WITHIN_S), self._settings.scans_per_device)
        except TimeoutError:
            return Device()

    async def _index(self) -> str | None:
        if self._pool is None:
            return "not started"
        return await postgres_problem(self._pool)
