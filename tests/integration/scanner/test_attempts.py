"""Attempts that race, repeat, lose their lease or are closed from outside."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from linstock import names
from linstock.eventlog.record import Recorded
from linstock.messages.catalogue import CatalogueReleased, ScanStarted
from linstock.messages.job import JobCancelled, JobFailed, JobRetryScheduled, JobStarted, JobSucceeded, JobTimedOut
from linstock.messages.message import Message
from linstock.messages.progress import ScanProgress
from linstock.messages.scan import ScanCancelled, ScanCompleted, ScanFailed
from services.scanner import expedition
from services.scanner.ledger import Ledger
from services.scanner.progress import progress
from services.scanner.reactions import Closings
from services.scanner.runner import utc_now
from services.scanner.tally import Tally
from tests.integration.scanner.conftest import Scanner, another_scan, lease, order_for
from tests.support.trees import put, put_many
from tests.support.waiting import becomes

NOW = datetime(2026, 3, 29, 2, tzinfo=UTC)
SCAN = UUID(int=7)


class Gate:
    """Lets a walk begin, and go no further until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self.walk: expedition.Expedition
        real = expedition.Expedition.run

        async def run(walk: expedition.Expedition, executor: object) -> None:
            if not self.open.is_set():
                self.walk = walk
                self.reached.set()
                await self.open.wait()
            await real(walk, executor)  # type: ignore[arg-type]

        monkeypatch.setattr(expedition.Expedition, "run", run)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


def closings(scanner: Scanner, *, stop_walk: Callable[[UUID, int], None] | None = None) -> Closings:
    return Closings(scanner.log, scanner.journal, stop_walk=stop_walk or scanner.runner.stop_walk, now=utc_now)


def of_scheduler(event: Message, job_id: UUID = SCAN) -> Recorded:
    return Recorded(
        log=names.SCHEDULER,
        position=1,
        event_id=uuid4(),
        type=str(event.__struct_config__.tag),
        time=NOW,
        workspace=names.DEFAULT_WORKSPACE,
        aggregate="job",
        aggregate_id=job_id,
        version=2,
        actor="scheduler",
        correlation_id=uuid4(),
        causation_id=None,
        traceparent=None,
        data=msgspec.Raw(msgspec.json.encode(event)),
    )


def cancelled(job_id: UUID = SCAN, attempt: int = 1) -> Recorded:
    return of_scheduler(JobCancelled(job_id=job_id, attempt=attempt, at=NOW, reason="not wanted"), job_id)


def lease_lost(attempt: int = 1) -> Recorded:
    event = JobRetryScheduled(
        job_id=SCAN, attempt=attempt, next_attempt=attempt + 1, due=NOW, code="lease_lost", message="", at=NOW
    )
    return of_scheduler(event)


async def test_the_same_order_twice_has_one_verdict(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    order, one = order_for(photos, scan_id=SCAN), lease()
    await scanner.runner.run(order, one)
    await scanner.runner.run(order, one)
    assert (await scanner.completed(SCAN)).attempt == 1
    assert (await scanner.kinds()).count("ScanStarted") == 1


async def test_the_same_order_twice_at_once_has_one_verdict_and_every_page(scanner: Scanner, photos: Path) -> None:
    put_many(photos, folders=40, images=400)
    order, one = order_for(photos, scan_id=SCAN), lease()
    await asyncio.gather(scanner.runner.run(order, one), scanner.runner.run(order, one))
    assert len(await scanner.verdicts(SCAN)) == 1
    # Whatever the loser did not record, the next scan finds.
    await scanner.scan(photos)
    assert len(await scanner.collections()) == 40
    files = {(s.collection_id, f.name) for page in await scanner.pages() for s in page.files for f in s.files}
    assert len(files) == 40 * 400


async def test_a_newer_attempt_takes_over_and_the_older_one_stops_quietly(
    scanner: Scanner, photos: Path, gate: Gate
) -> None:
    put(photos, "a/1.jpg")
    older = asyncio.create_task(scanner.scan(photos, scan_id=SCAN))
    await gate.reached.wait()
    await closings(scanner, stop_walk=lambda *_: None).react(lease_lost())
    gate.open.set()
    await scanner.scan(photos, scan_id=SCAN, attempt=2)
    await older
    verdicts = await scanner.verdicts(SCAN)
    assert [(type(verdict), verdict.attempt) for verdict in verdicts] == [(ScanCancelled, 1), (ScanCompleted, 2)]
    assert {page.attempt for page in await scanner.pages()} == {2}


async def test_a_scan_that_another_one_supersedes_fails_for_good(scanner: Scanner, photos: Path, gate: Gate) -> None:
    put(photos, "a/1.jpg")
    first = asyncio.create_task(scanner.scan(photos))
    await gate.reached.wait()
    await Ledger(scanner.log, another_scan()).start(utc_now())
    gate.open.set()
    failed = await scanner.failed(await first)
    assert (failed.code, failed.final) == ("superseded", True)
    assert await scanner.pages() == []


async def test_a_cancelled_scan_stops_gives_the_catalogue_back_and_does_not_return(
    scanner: Scanner, photos: Path, gate: Gate
) -> None:
    put(photos, "a/1.jpg")
    order, one = order_for(photos, scan_id=SCAN), lease()
    running = asyncio.create_task(scanner.runner.run(order, one))
    await gate.reached.wait()
    reaction = closings(scanner)
    await asyncio.gather(reaction.react(cancelled()), reaction.react(cancelled()))
    gate.open.set()
    await running
    await scanner.runner.run(order, one)
    (verdict,) = await scanner.verdicts(SCAN)
    assert isinstance(verdict, ScanCancelled)
    assert verdict.reason == "not wanted"
    assert await scanner.kinds() == ["ScanStarted", "CatalogueReleased"]


async def test_a_cancellation_that_comes_before_the_claimed_attempt_begins_is_kept(
    scanner: Scanner, photos: Path
) -> None:
    put(photos, "a/1.jpg")
    await closings(scanner).react(cancelled())
    await scanner.scan(photos, scan_id=SCAN)
    assert await scanner.verdicts(SCAN) == []
    assert await scanner.catalogue() == []


@pytest.mark.parametrize(
    "event",
    [
        JobTimedOut(job_id=SCAN, attempt=1, at=NOW),
        JobFailed(job_id=SCAN, attempt=1, at=NOW, code="lease_lost", message=""),
        JobCancelled(job_id=SCAN, attempt=1, at=NOW, reason=""),
    ],
    ids=lambda event: type(event).__name__,
)
async def test_every_closing_frees_a_catalogue_whose_worker_died(
    scanner: Scanner, photos: Path, event: Message, gate: Gate
) -> None:
    put(photos, "a/1.jpg")
    dead = asyncio.create_task(scanner.scan(photos, scan_id=SCAN))
    await gate.reached.wait()
    dead.cancel()
    await asyncio.gather(dead, return_exceptions=True)
    reaction = closings(scanner)
    await reaction.react(of_scheduler(event))
    await reaction.react(of_scheduler(event))
    assert [type(one) for one in await scanner.catalogue()] == [ScanStarted, CatalogueReleased]
    assert [type(one) for one in await scanner.verdicts(SCAN)] == [ScanCancelled]


async def test_closings_of_other_jobs_and_late_ones_change_nothing(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    await scanner.scan(photos, scan_id=SCAN)
    before = await scanner.log.last_position()
    reaction = closings(scanner)
    await reaction.react(cancelled(uuid4()))
    await reaction.react(cancelled())
    await reaction.react(lease_lost())
    started = JobStarted(job_id=SCAN, attempt=1, worker="w", lease=SCAN, at=NOW, deadline=NOW)
    await reaction.react(of_scheduler(started))
    await reaction.react(of_scheduler(JobSucceeded(job_id=SCAN, attempt=1, at=NOW, result=msgspec.Raw(b"{}"))))
    assert await scanner.log.last_position() == before


async def test_a_lost_lease_ends_the_walk_without_a_verdict(scanner: Scanner, photos: Path, gate: Gate) -> None:
    put(photos, "a/1.jpg")
    one = lease()
    running = asyncio.create_task(scanner.runner.run(order_for(photos, scan_id=SCAN), one))
    await gate.reached.wait()
    one.lost.set()
    await becomes(gate.walk._stopping.is_set, expected=True)
    gate.open.set()
    await running
    assert await scanner.verdicts(SCAN) == []


async def test_a_scanner_that_stops_says_that_the_scan_did_not_fail_for_good(
    scanner: Scanner, photos: Path, gate: Gate
) -> None:
    put(photos, "a/1.jpg")
    running = asyncio.create_task(scanner.scan(photos, scan_id=SCAN))
    await gate.reached.wait()
    scanner.runner.stop()
    gate.open.set()
    await running
    failed = await scanner.failed(SCAN)
    assert (failed.code, failed.final) == ("stopped", False)
    assert await scanner.kinds() == ["ScanStarted", "CatalogueReleased"]


async def test_an_unexpected_error_is_a_failure_that_may_be_retried_and_the_retry_completes(
    scanner: Scanner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(photos, "a/1.jpg")

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr(expedition.Expedition, "_walk", broken)
        await scanner.scan(photos, scan_id=SCAN)
    failed = await scanner.failed(SCAN)
    assert (failed.code, failed.final, failed.message) == ("unexpected", False, "ZeroDivisionError: a defect")
    await scanner.scan(photos, scan_id=SCAN, attempt=2)
    assert [type(verdict) for verdict in await scanner.verdicts(SCAN)] == [ScanFailed, ScanCompleted]


async def test_an_attempt_cut_off_after_its_first_page_is_completed_by_the_next(
    scanner: Scanner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_many(photos, folders=1, images=25_000)
    real, pages_recorded = expedition.Expedition._record, 0

    async def die_after_one(walk: expedition.Expedition, page: object, rows: object) -> None:
        nonlocal pages_recorded
        pages_recorded += 1
        if pages_recorded > 1:
            raise ConnectionError("gone")
        await real(walk, page, rows)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(expedition.Expedition, "_record", die_after_one)
        await scanner.scan(photos, scan_id=SCAN)
    first = len(await scanner.pages())
    assert first == 1
    await scanner.scan(photos, scan_id=SCAN, attempt=2)
    files = [file.name for page in await scanner.pages() for share in page.files for file in share.files]
    assert len(files) == len(set(files)) == 25_000
    assert [verdict.attempt for verdict in await scanner.verdicts(SCAN)] == [1, 2]


async def test_progress_is_told_at_most_four_times_a_second_and_only_when_there_is_some() -> None:
    tally = Tally()
    told: list[ScanProgress] = []
    at: list[float] = []

    async def publish(subject: str, body: bytes) -> None:
        assert subject == names.progress_subject("default", SCAN)
        told.append(msgspec.json.decode(body, type=ScanProgress))
        at.append(asyncio.get_running_loop().time())
        if len(told) < 3:
            tally.files += 10

    began = asyncio.get_running_loop().time()
    async with progress(tally, workspace="default", scan_id=SCAN, publish=publish):
        await becomes(lambda: len(told), 3)
    assert [one.files for one in told] == [0, 10, 20]
    assert all(one.at for one in told)
    assert told[0].elapsed_ms < told[1].elapsed_ms < told[2].elapsed_ms
    assert at[-1] - began >= 3 * 0.24
