"""The service as it runs: orders from WORK, claims to a scheduler that the test plays, verdicts in EVENTS."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from linstock import names
from linstock.bus.connection import close, connect
from linstock.bus.provision import provision
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Append, Origin
from linstock.eventlog.relay import Relay
from linstock.jobs.orders import Order
from linstock.messages.enrichment import CollectionsEnriched
from linstock.messages.job import JobCancelled
from linstock.messages.work import Claim, ClaimAnswer, ClaimAnswers, Report
from services.scanner.enrichment.known import KnownImages
from services.scanner.ledger import Ledger
from services.scanner.runner import utc_now
from tests.integration.scanner.conftest import LIBRARY, Scanner, another_scan, enrich_order_for, order_for
from tests.support.trees import put
from tests.support.waiting import becomes

ROOT = Path(__file__).parents[3]


class Scheduler:
    """Puts orders and grants every claim."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._js = client.jetstream()
        self.events: list[str] = []

    async def start(self) -> None:
        await self._js.subscribe(names.events_of(names.SCANNER), stream=names.EVENTS, cb=self._on_event)
        await self._client.subscribe(names.ALL_CLAIMS, cb=self._on_report)

    async def _on_report(self, message: Msg) -> None:
        report = msgspec.json.decode(message.data, type=Report)
        claims = [item for item in report.items if isinstance(item, Claim)]
        answers = tuple(
            ClaimAnswer(job_id=claim.job_id, attempt=claim.attempt, lease=claim.lease, granted=True) for claim in claims
        )
        if answers and report.reply_to:
            await self._client.publish(report.reply_to, msgspec.json.encode(ClaimAnswers(answers=answers)))

    async def _on_event(self, message: Msg) -> None:
        assert message.headers
        self.events.append(message.headers["ce-type"])

    async def put(self, root: Path, *, scan_id: UUID, attempt: int = 1) -> None:
        await self._put(order_for(root, scan_id=scan_id, attempt=attempt), names.SCAN_QUEUE, attempt)

    async def put_enrich(self, root: Path, *, attempt: int = 1) -> None:
        await self._put(enrich_order_for(root), names.ENRICH_QUEUE, attempt)

    async def _put(self, order: Order, queue: str, attempt: int) -> None:
        await self._js.publish(
            names.work_subject(names.DEFAULT_WORKSPACE, queue, "Whatever"),
            msgspec.json.encode(order.request),
            stream=names.WORK,
            headers={
                "ce-id": str(order.event_id),
                "ce-workspace": names.DEFAULT_WORKSPACE,
                "ls-attempt": str(attempt),
            },
        )


@pytest.fixture
async def scheduler(nats_url: str) -> AsyncIterator[Scheduler]:
    await provision(nats_url)
    client = await connect(nats_url, "scheduler-played")
    played = Scheduler(client)
    await played.start()
    yield played
    await close(client)


class Process:
    """`python -m services.scanner`, ended by the test."""

    def __init__(self, *, nats_url: str, database_url: str, log: Path) -> None:
        self._environment = {
            **os.environ,
            "LINSTOCK_NATS_URL": nats_url,
            "LINSTOCK_DATABASE_URL": database_url,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'libs'}",
        }
        self._log = log
        self.process: asyncio.subprocess.Process

    async def start(self, *, crash_at: str = "") -> None:
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "services.scanner",
                env={**self._environment, "LINSTOCK_CRASH_AT": crash_at},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def stop(self) -> int:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 15)


@pytest.fixture
async def service(nats_url: str, database_url: str, tmp_path: Path) -> AsyncIterator[Process]:
    process = Process(nats_url=nats_url, database_url=database_url, log=tmp_path / "scanner.log")
    try:
        yield process
    finally:
        if process.process.returncode is None:
            process.process.kill()
            await process.process.wait()


async def test_an_order_becomes_events(scheduler: Scheduler, service: Process, scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "b/2.png")
    scan_id = uuid4()
    await scheduler.put(photos, scan_id=scan_id)
    await service.start()
    expected = [
        "linstock.scan.started.v1",
        "linstock.catalogue.collections_recorded.v1",
        "linstock.catalogue.released.v1",
        "linstock.scan.completed.v1",
    ]
    await becomes(lambda: scheduler.events, expected)
    completed = await scanner.completed(scan_id)
    (recorded,) = await scanner.log.load(scan_id)
    assert (completed.counts.collections, recorded.actor, recorded.workspace) == (2, "scanner", "default")
    assert await service.stop() == 0


@pytest.mark.parametrize("point", ["after_page_append", "after_verdict_append_before_index"])
async def test_a_scanner_that_dies_at_any_point_loses_nothing_and_records_nothing_twice(
    scheduler: Scheduler, service: Process, scanner: Scanner, photos: Path, point: str
) -> None:
    put(photos, "a/1.jpg", "b/2.png")
    scan_id = uuid4()
    await scheduler.put(photos, scan_id=scan_id)
    await service.start(crash_at=point)
    assert await asyncio.wait_for(service.process.wait(), 20) == 137
    await service.start()
    await scheduler.put(photos, scan_id=scan_id, attempt=2)
    await becomes(lambda: "linstock.scan.completed.v1" in scheduler.events, expected=True)
    await becomes(lambda: _last_attempt(scanner, scan_id), 2)
    files = [file.name for page in await scanner.pages() for share in page.files for file in share.files]
    assert sorted(files) == ["1.jpg", "2.png"]
    await becomes(lambda: scanner.index.version(LIBRARY), len(await scanner.catalogue()))  # applied after the verdict
    live = await scanner.indexed()
    await scanner.index.rebuild(scanner.log, LIBRARY)
    assert await scanner.indexed() == live


async def test_a_scanner_that_dies_while_it_reads_images_goes_on_with_what_is_left(
    scheduler: Scheduler, service: Process, scanner: Scanner, photos: Path
) -> None:
    put(photos, *(f"{folder:02}/1.jpg" for folder in range(5)))
    await scanner.scan(photos)
    await scheduler.put_enrich(photos)
    await service.start(crash_at="after_enrichment_append_before_index")
    assert await asyncio.wait_for(service.process.wait(), 30) == 137
    put(photos, "new/1.jpg")
    await scanner.scan(photos)
    await service.start()
    await scheduler.put_enrich(photos, attempt=2)
    known = KnownImages(scanner.pool)
    await becomes(lambda: known.count_unread(LIBRARY), 0, timeout_s=30)
    pages = [
        msgspec.json.decode(recorded.data, type=CollectionsEnriched)
        for recorded in await scanner.log.load(names.enrichment_of(LIBRARY))
    ]
    assert [len(page.collections) for page in pages] == [5, 1]


async def _last_attempt(scanner: Scanner, scan_id: UUID) -> int:
    return max((verdict.attempt for verdict in await scanner.verdicts(scan_id)), default=0)


async def test_a_cancelled_job_frees_the_catalogue_through_the_service(
    scheduler: Scheduler, service: Process, scanner: Scanner, nats_url: str, database_url: str
) -> None:
    abandoned = another_scan()
    await scanner.journal.begin(scan_id=abandoned.scan_id, library_id=LIBRARY, attempt=1)
    await Ledger(scanner.log, abandoned).start(utc_now())
    await service.start()
    log = await PostgresLog.open(names.SCHEDULER, database_url)
    client = await connect(nats_url, "scheduler-relay")
    relay = Relay(log, dsn=database_url, nats=client)
    await relay.start()
    try:
        cancelled = JobCancelled(job_id=abandoned.scan_id, attempt=1, at=utc_now(), reason="not wanted")
        origin = Origin(workspace="default", actor="me", at=utc_now(), correlation_id=uuid4())
        append = Append(aggregate="job", aggregate_id=abandoned.scan_id, expected_version=0, events=[cancelled])
        await log.append([append], origin)
        await becomes(scanner.kinds, ["ScanStarted", "CatalogueReleased"])
        (recorded,) = await scanner.log.load(abandoned.scan_id)
        assert recorded.type == "linstock.scan.cancelled.v1"
        assert recorded.correlation_id == origin.correlation_id
    finally:
        await relay.stop()
        await close(client)
        await log.close()
