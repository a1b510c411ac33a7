"""Dry runs: the whole look, and nothing is recorded but what would have been."""

import asyncio
from concurrent.futures import Executor
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from linstock.messages.scan import ChangesPreviewed, ScanCancelled, ScanCompleted, ScanEvent
from services.scanner import preview
from services.scanner.expedition import Expedition
from services.scanner.ledger import Ledger
from services.scanner.preview import Preview
from services.scanner.scan import SCAN
from tests.integration.scanner.conftest import LIBRARY, Scanner, another_scan, lease, order_for
from tests.integration.scanner.test_attempts import Gate, cancelled, closings, gate  # noqa: F401
from tests.support.trees import put, put_archive, put_many

NOW = datetime(2026, 3, 29, 2, tzinfo=UTC)
RUN = UUID(int=7)


async def told(scanner: Scanner, scan_id: UUID) -> tuple[list[tuple[str, str, int, int]], ScanCompleted]:
    """Kind, path and images before and after of each change, and the verdict."""
    events: list[ScanEvent] = [SCAN.decode(recorded.data) for recorded in await scanner.log.load(scan_id)]
    pages = [event for event in events if isinstance(event, ChangesPreviewed)]
    (verdict,) = [event for event in events if isinstance(event, ScanCompleted)]
    assert [page.page for page in pages] == list(range(1, len(pages) + 1))
    changes = [change for page in pages for change in page.changes]
    return [(each.kind, each.path, each.images_before, each.images) for each in changes], verdict


async def everything(scanner: Scanner) -> list[object]:
    """All that a scan could change beside the events of the scan itself."""
    stored: list[object] = [await scanner.catalogue(), await scanner.indexed()]
    for table in ("index_folders", "index_libraries", "opened_archives"):
        rows = await scanner.pool.fetch(f"SELECT * FROM {table} ORDER BY 1")
        stored.append([tuple(row) for row in rows])
    return stored


@pytest.mark.parametrize("mode", ["quick", "changed", "deep"])
async def test_a_dry_run_tells_what_the_next_scan_records_and_changes_nothing(
    scanner: Scanner, photos: Path, mode: str
) -> None:
    put(photos, "a/1.jpg", "b/2.jpg", "c/3.jpg")
    put_archive(photos / "x.zip", "1.jpg")
    await scanner.scan(photos)
    put(photos, "a/4.jpg", "лето/5.jpg")
    put_archive(photos / "x.zip", "1.jpg", "2.jpg")
    put_archive(photos / "new.zip", "1.jpg", "readme.txt")
    (photos / "c" / "3.jpg").unlink()
    before = await everything(scanner)
    changes, verdict = await told(scanner, await scanner.scan(photos, scan_mode=mode, dry_run=True))
    assert await everything(scanner) == before
    assert sorted(changes) == [
        ("added", "new.zip", 0, 1),
        ("added", "лето", 0, 1),
        ("changed", "a", 1, 2),
        ("changed", "x.zip", 1, 2),
    ]
    assert (verdict.dry_run, verdict.held) == (True, 0)
    real = await scanner.completed(await scanner.scan(photos))
    assert (real.dry_run, real.counts) == (False, replace(verdict.counts, missing=1))
    recorded = {entry.path for page in (await scanner.pages())[1:] for entry in page.collections}
    assert recorded == {path for _, path, _, _ in changes}


async def test_a_dry_run_of_an_emptied_library_holds_nothing_and_counts_what_is_absent(
    scanner: Scanner, photos: Path
) -> None:
    put(photos, "a/1.jpg", "b/2.jpg")
    await scanner.scan(photos)
    for folder in ("a", "b"):
        (photos / folder).rename(photos.parent / f"away-{folder}")
    before = await everything(scanner)
    changes, verdict = await told(scanner, await scanner.scan(photos, dry_run=True))
    assert (changes, verdict.held, verdict.counts.absent) == ([], 0, 2)
    assert await everything(scanner) == before


async def test_a_dry_run_lists_so_many_changes_and_counts_all(
    scanner: Scanner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "LISTED", 3)
    put_many(photos, folders=5, images=2)
    changes, verdict = await told(scanner, await scanner.scan(photos, dry_run=True))
    assert [path for _, path, _, _ in changes] == ["folder-00000", "folder-00001", "folder-00002"]
    assert (verdict.counts.added, verdict.counts.images) == (5, 10)


async def test_a_collection_of_several_pages_is_told_once(scanner: Scanner, photos: Path) -> None:
    put_many(photos, folders=1, images=25_000)
    changes, _ = await told(scanner, await scanner.scan(photos, dry_run=True))
    assert changes == [("added", "folder-00000", 0, 25_000)]


async def test_a_dry_run_in_a_part_of_the_library(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "b/2.jpg")
    changes, verdict = await told(scanner, await scanner.scan(photos, paths=[b"a"], dry_run=True))
    assert (changes, verdict.counts.added) == ([("added", "a", 0, 1)], 1)


async def test_the_same_dry_run_twice_at_once_is_told_once(scanner: Scanner, photos: Path) -> None:
    put_many(photos, folders=3, images=2)
    order, one = order_for(photos, scan_id=RUN, dry_run=True), lease()
    await asyncio.gather(scanner.runner.run(order, one), scanner.runner.run(order, one))
    changes, _ = await told(scanner, RUN)
    assert len(changes) == 3


async def test_of_two_walks_of_one_attempt_none_fails(
    scanner: Scanner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(photos, "a/1.jpg")
    both, real = asyncio.Barrier(2), Expedition.run

    async def run(walk: Expedition, executor: Executor) -> None:
        await both.wait()
        await real(walk, executor)

    monkeypatch.setattr(Expedition, "run", run)
    order, one = order_for(photos, scan_id=RUN, dry_run=True), lease()
    with capture_logs() as logged:
        await asyncio.gather(scanner.runner.run(order, one), scanner.runner.run(order, one))
    assert sorted(line["outcome"] for line in logged if line["event"] == "Scan ended") == ["closed", "completed"]
    assert not scanner.runner.busy


async def test_a_dry_run_leaves_a_catalogue_alone_that_another_scan_owns(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg")
    other = another_scan()
    ledger = Ledger(scanner.log, other)
    await ledger.start(NOW)
    await told(scanner, await scanner.scan(photos, dry_run=True))
    await ledger.release(NOW)
    assert await scanner.kinds() == ["ScanStarted", "CatalogueReleased"]


async def test_a_cancelled_dry_run_ends_and_tells_no_more(scanner: Scanner, photos: Path, gate: Gate) -> None:  # noqa: F811
    put(photos, "a/1.jpg")
    running = asyncio.create_task(scanner.scan(photos, scan_id=RUN, dry_run=True))
    await gate.reached.wait()
    await closings(scanner).react(cancelled(RUN))
    gate.open.set()
    await running
    assert [type(event) for event in await scanner.verdicts(RUN)] == [ScanCancelled]


async def test_a_dry_run_of_a_root_that_is_away_fails_for_good(scanner: Scanner, photos: Path) -> None:
    failed = await scanner.failed(await scanner.scan(photos / "gone", dry_run=True))
    assert (failed.code, failed.final) == ("root_missing", True)
    assert await scanner.catalogue() == []


async def test_a_later_attempt_tells_everything_again(
    scanner: Scanner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(photos, "a/1.jpg")

    async def gone(_self: Preview, *_: object) -> None:
        raise ConnectionError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(Preview, "complete", gone)
        await scanner.scan(photos, scan_id=RUN, dry_run=True)
    await scanner.scan(photos, scan_id=RUN, attempt=2, dry_run=True)
    events = [SCAN.decode(recorded.data) for recorded in await scanner.log.load(RUN)]
    assert [(type(event).__name__, event.attempt) for event in events] == [
        ("ChangesPreviewed", 1),
        ("ScanFailed", 1),
        ("ChangesPreviewed", 2),
        ("ScanCompleted", 2),
    ]
    assert {event.library_id for event in events} == {LIBRARY}
