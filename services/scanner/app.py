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
from linstock.eventlog.postgres import PostgresLog
from linstock.jobs.worker import Device, Order, Worker
from linstock.lifecycle import Service
from linstock.messages.catalogue import RemovalsCommand
from linstock.messages.job import ScanRequested
from linstock.migrations import migrate
from linstock.outage import postgres_problem
from linstock.owner import Owner
from linstock.probes import Vitals
from linstock.roots import AllowedRoots
from linstock.settings import Settings
from services.scanner.commands import RemovalsPlanner
from services.scanner.devices import device_of
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
CONNECTIONS = 12
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
        dsn, min_size=1, max_size=CONNECTIONS, command_timeout=60, server_settings={"search_path": schema}
    )


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
        self._worker: Worker | None = None
        self._watchers: Watchers | None = None

    async def start(self) -> None:
        log = await self._owner.open()
        self._pool = await open_pool(self._settings.database_url, names.SCANNER)
        self._executor = ThreadPoolExecutor(SLOTS, "walk")
        roots = AllowedRoots(self._settings.allow_roots)
        self._runner = self._make_runner(log, self._pool, self._executor, roots)
        roster = Roster(self._pool)
        durable = names.library_durable(names.SCANNER)
        Reactions(self._owner.broker, service=names.SCANNER, react=roster.react, durable=durable)
        self._vitals.check("index", self._index)
        await self._owner.start()
        self._worker = Worker(
            self._settings.nats_url,
            queue=names.SCAN_QUEUE,
            slots=SLOTS,
            run=self._runner.run,
            device_of=self._device_of,
        )
        await self._worker.start()
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
        if self._worker:
            await self._worker.stop()
            self._worker = None
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

    def _make_runner(self, log: PostgresLog, pool: Pool, executor: ThreadPoolExecutor, roots: AllowedRoots) -> Runner:
        journal, index = Journal(pool), Index(pool)
        runner = Runner(
            log,
            index,
            OpenedArchives(pool),
            journal,
            executor=executor,
            publish=self._owner.client.publish,
            disk=self._owner.disk,
            roots=roots,
        )
        closings = Closings(log, journal, stop_walk=runner.stop_walk, now=utc_now)
        Reactions(self._owner.broker, service=names.SCANNER, react=closings.react)
        CommandInbox(
            self._owner.broker,
            log=log,
            service=names.SCANNER,
            commands=RemovalsCommand,
            plan=RemovalsPlanner(log, index).plan,
        )
        return runner

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
