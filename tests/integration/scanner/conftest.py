"""A scanner without a bus: a real log and index, orders by hand."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from msgspec import Struct

from linstock import names
from linstock.eventlog.postgres import PostgresLog
from linstock.jobs.worker import Lease, Order
from linstock.messages.catalogue import CatalogueEvent, CollectionsRecorded
from linstock.messages.enrichment import EnrichPayload
from linstock.messages.job import ENRICH, JobRequested, ScanRequested
from linstock.messages.scan import ScanCompleted, ScanEvent, ScanFailed
from linstock.messages.schedule import JobPolicy, ScanTarget
from services.scanner.app import open_pool
from services.scanner.catalogue import CATALOGUE
from services.scanner.index import Index, Pool
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
        archives = OpenedArchives(pool)
        self.runner = Runner(log, self.index, archives, self.journal, executor=executor, publish=self.told.publish)

    async def scan(
        self, root: Path, *, scan_id: UUID | None = None, attempt: int = 1, scan_mode: str = "changed", **settings: Any
    ) -> UUID:
        """Runs one order to its end; the scan's id. `settings` are the library's (of ScanTarget)."""
        order = order_for(root, scan_id=scan_id, attempt=attempt, scan_mode=scan_mode, **settings)
        await self.runner.run(order, lease())
        return order.request.job_id

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
            images = await self.index.images(row["collection_id"])
            held[tuple(row.values())] = images.entries(0, len(images))
        return held


def lease() -> Lease:
    return Lease(uuid4(), "worker-1", None)


def order_for(
    root: Path, *, scan_id: UUID | None = None, attempt: int = 1, scan_mode: str = "changed", **settings: Any
) -> Order:
    request = ScanRequested(
        job_id=scan_id or uuid4(),
        schedule_id=names.schedule_of(LIBRARY),
        instant=None,
        triggered_by="Manual",
        target=ScanTarget(library_id=LIBRARY, library_name="Photos", library_path=str(root), **settings),
        policy=JobPolicy(),
        requested_at=datetime.now(UTC),
        scan_mode=scan_mode,
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
