"""A scanner without a bus: a real log and index, orders by hand."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from msgspec import Struct

from linstock import names
from linstock.bus.inbox import CommandContext
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Origin
from linstock.jobs.orders import Lease, Order
from linstock.messages.catalogue import CatalogueEvent, CollectionsRecorded
from linstock.messages.enrichment import EnrichPayload
from linstock.messages.job import ENRICH, JobRequested, ScanRequested
from linstock.messages.scan import ScanCompleted, ScanEvent, ScanFailed
from linstock.messages.schedule import JobPolicy, ScanPath, ScanTarget
from services.scanner.app import open_pool
from services.scanner.catalogue import CATALOGUE
from services.scanner.commands import Command, Planner
from services.scanner.file_system import file_system_of
from services.scanner.folders import Pool
from services.scanner.index import Index
from services.scanner.journal import Journal
from services.scanner.ledger import Attempt
from services.scanner.opened import OpenedArchives
from services.scanner.runner import Runner
from services.scanner.scan import SCAN

LIBRARY = UUID(int=42)


class Told(Struct):
    """What was published on core NATS."""

    messages: list[tuple[str, bytes]]

    async def publish(self, subject: str, body: bytes) -> None:
        self.messages.append((subject, body))


class Scanner:
    def __init__(self, log: PostgresLog, pool: Pool, executor: ThreadPoolExecutor) -> None:
        self.log = log
        self.pool = pool
        self.index = Index(pool)
        self.journal = Journal(pool)
        self.told = Told([])
        self.away = ""  # something: the root seems to be on another file system
        self.ahead = timedelta()  # so much is its clock
        self.runner = Runner(
            log,
            self.index,
            OpenedArchives(pool),
            self.journal,
            executor=executor,
            publish=self.told.publish,
            now=lambda: datetime.now(UTC) + self.ahead,
            file_system_of=lambda root: self.away or file_system_of(root),
        )
        self.planner = Planner(log, self.index)

    async def scan(
        self, root: Path, *, scan_id: UUID | None = None, attempt: int = 1, scan_mode: str = "changed", **given: Any
    ) -> UUID:
        """Runs one order to its end; the scan's id. `given` is as in `order_for`."""
        order = order_for(root, scan_id=scan_id, attempt=attempt, scan_mode=scan_mode, **given)
        await self.runner.run(order, lease())
        return order.request.job_id

    async def decide(self, command: Command, *, workspace: str = names.DEFAULT_WORKSPACE) -> None:
        """As somebody tells the scanner, and without the receipt. Raises Refused."""
        context = CommandContext(command_id=uuid4(), workspace=workspace, actor="eva", at=datetime.now(UTC))
        plan = await self.planner.plan(command, context)
        await self.log.append(plan.appends, origin_of(context))

    async def missing(self) -> set[str]:
        """Paths of the collections that are marked so."""
        await self.index.catch_up(self.log, LIBRARY, version=(await CATALOGUE.load(self.log, LIBRARY)).version)
        rows = await self.pool.fetch("SELECT path FROM index_collections WHERE library_id = $1 AND missing", LIBRARY)
        return {os.fsdecode(row["path"]) for row in rows}

    async def proposed(self) -> set[UUID]:
        """What the hold that waits, or was rejected, names."""
        hold = (await CATALOGUE.load(self.log, LIBRARY)).state.hold
        return await self.index.proposals(LIBRARY, hold) if hold else set()

    async def verdicts(self, scan_id: UUID) -> list[ScanEvent]:
        return [SCAN.decode(recorded.data) for recorded in await self.log.load(scan_id)]

    async def completed(self, scan_id: UUID) -> ScanCompleted:
        """The one verdict, which is that it completed."""
        (verdict,) = await self.verdicts(scan_id)
        assert isinstance(verdict, ScanCompleted), verdict
        return verdict

    async def failed(self, scan_id: UUID) -> ScanFailed:
        (verdict,) = await self.verdicts(scan_id)
        assert isinstance(verdict, ScanFailed), verdict
        return verdict

    async def catalogue(self) -> list[CatalogueEvent]:
        return [CATALOGUE.decode(recorded.data) for recorded in await self.log.load(LIBRARY)]

    async def kinds(self) -> list[str]:
        return [type(event).__name__ for event in await self.catalogue()]

    async def pages(self) -> list[CollectionsRecorded]:
        return [event for event in await self.catalogue() if isinstance(event, CollectionsRecorded)]

    async def collections(self) -> dict[str, tuple[str, int]]:
        """Kind and number of images by path, as recorded last."""
        return {
            entry.path: (entry.kind, entry.image_count) for page in await self.pages() for entry in page.collections
        }

    async def indexed(self) -> dict[object, object]:
        """All that the index holds of the library, in one comparable value."""
        rows = await self.pool.fetch(
            "SELECT c.*, l.version AS reflects FROM index_collections c JOIN index_libraries l USING (library_id)"
            " WHERE library_id = $1",
            LIBRARY,
        )
        held: dict[object, object] = {}
        for row in rows:
            images = (await self.index.images([row["collection_id"]]))[row["collection_id"]]
            held[tuple(row.values())] = images.entries(0, len(images))
        if proposed := await self.proposed():
            held["proposed"] = proposed
        return held


def origin_of(context: CommandContext) -> Origin:
    return Origin(
        workspace=context.workspace,
        actor=context.actor,
        at=context.at,
        correlation_id=context.command_id,
        causation_id=context.command_id,
    )


def lease() -> Lease:
    return Lease(uuid4(), "worker-1", None)


def order_for(
    root: Path,
    *,
    scan_id: UUID | None = None,
    attempt: int = 1,
    scan_mode: str = "changed",
    paths: Sequence[bytes] = (),
    dry_run: bool = False,
    **settings: Any,
) -> Order:
    """`settings` are the library's (of ScanTarget)."""
    request = ScanRequested(
        job_id=scan_id or uuid4(),
        schedule_id=names.schedule_of(LIBRARY),
        instant=None,
        triggered_by="Manual",
        target=ScanTarget(library_id=LIBRARY, library_name="Photos", library_path=str(root), **settings),
        policy=JobPolicy(),
        requested_at=datetime.now(UTC),
        scan_mode=scan_mode,
        scope=tuple(ScanPath(path=os.fsdecode(path), path_bytes=path) for path in paths),
        dry_run=dry_run,
    )
    return Order(
        request=request,
        attempt=attempt,
        workspace=names.DEFAULT_WORKSPACE,
        event_id=uuid4(),
        correlation_id=uuid4(),
        traceparent=None,
    )


def enrich_order_for(root: Path) -> Order:
    payload = EnrichPayload(library_id=LIBRARY, scan_id=uuid4(), root=str(root))
    request = JobRequested(
        job_id=uuid4(),
        job_type=ENRICH,
        queue=names.ENRICH_QUEUE,
        payload=msgspec.Raw(msgspec.json.encode(payload)),
        policy=JobPolicy(),
        requested_at=datetime.now(UTC),
        triggered_by="Scheduler",
        library_id=LIBRARY,
    )
    return Order(
        request=request,
        attempt=1,
        workspace=names.DEFAULT_WORKSPACE,
        event_id=uuid4(),
        correlation_id=uuid4(),
        traceparent=None,
    )


def another_scan() -> Attempt:
    return Attempt(
        scan_id=uuid4(),
        library_id=LIBRARY,
        attempt=1,
        lease=uuid4(),
        worker="w",
        root="/",
        workspace=names.DEFAULT_WORKSPACE,
        correlation_id=uuid4(),
        causation_id=uuid4(),
        traceparent=None,
    )


@pytest.fixture
async def scanner(database_url: str) -> AsyncIterator[Scanner]:
    log = await PostgresLog.open(names.SCANNER, database_url)
    pool = await open_pool(database_url, names.SCANNER)
    executor = ThreadPoolExecutor(2)
    try:
        yield Scanner(log, pool, executor)
    finally:
        await asyncio.to_thread(executor.shutdown)
        await pool.close()
        await log.close()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """An empty folder to put images into."""
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder
