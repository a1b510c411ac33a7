"""Enrich orders on a real log, index and object store: what is read, what is recorded, what is left alone."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from msgspec import Raw
from nats.aio.client import Client
from PIL import Image

from linstock import names
from linstock.bus.connection import close, connect
from linstock.bus.provision import provision
from linstock.bus.thumbnails import Thumbnails
from linstock.jobs.orders import Lease, Order, OwnVerdict
from linstock.messages.enrichment import (
    THUMBNAIL_SIZES,
    CollectionsEnriched,
    EnrichedCollection,
    EnrichmentEvent,
    FilesQuarantined,
    WantedThumbnails,
)
from linstock.messages.job import JobCancelled, JobRequested
from services.scanner.enrichment.enricher import Enricher, RootUnavailable, Summary
from services.scanner.enrichment.known import KnownImages
from services.scanner.enrichment.reader import Reader
from services.scanner.enrichment.remaking import Remaking
from tests.integration.scanner.conftest import LIBRARY, Scanner, enrich_order_for, lease
from tests.integration.scanner.test_real_trees import PACKAGES, images, tree_of
from tests.support.pictures import picture, png_bomb, zipped
from tests.support.recorded import RecordedLog
from tests.support.waiting import becomes

EVENT: msgspec.json.Decoder[EnrichmentEvent] = msgspec.json.Decoder(EnrichmentEvent)


class Enriching:
    def __init__(self, scanner: Scanner, client: Client, root: Path) -> None:
        self.scanner = scanner
        self.client = client
        self.root = root
        self.known = KnownImages(scanner.pool)
        self.reader = Reader()
        self.thumbnails = Thumbnails(client)
        self.busy = False
        self.enricher = Enricher(
            scanner.log,
            scanner.index,
            self.known,
            reader=self.reader,
            thumbnails=self.thumbnails,
            busy=lambda: self.busy,
        )

    async def scan_and_enrich(self) -> Summary:
        await self.scanner.scan(self.root)
        return await self.enrich()

    async def enrich(self, order: Order | None = None, under: Lease | None = None) -> Summary:
        result = await self.enricher.run(order or enrich_order_for(self.root), under or lease())
        assert isinstance(result, Raw)
        return msgspec.json.decode(result, type=Summary)

    async def events(self) -> list[EnrichmentEvent]:
        return [EVENT.decode(each.data) for each in await self.scanner.log.load(names.enrichment_of(LIBRARY))]

    async def entries(self) -> list[EnrichedCollection]:
        pages = [event for event in await self.events() if isinstance(event, CollectionsEnriched)]
        return [entry for page in pages for entry in page.collections]

    async def quarantined(self) -> dict[str, str]:
        """Why, by name."""
        events = [event for event in await self.events() if isinstance(event, FilesQuarantined)]
        return {file.name: file.code for event in events for file in event.files}

    async def events_recorded(self) -> bool:
        return bool(await self.events())

    def reading(self) -> bool:
        return self.reader.pid is not None

    async def rows(self) -> object:
        """All that is known, in one comparable value."""
        enriched = await self.scanner.pool.fetch("SELECT * FROM enriched ORDER BY collection_id")
        looked = await self.scanner.pool.fetch("SELECT * FROM looked_at ORDER BY collection_id, version")
        return [tuple(row.values()) for row in (*enriched, *looked)]


@pytest.fixture
async def client(nats_url: str) -> AsyncIterator[Client]:
    await provision(nats_url)
    made = await connect(nats_url, "test")
    yield made
    await close(made)


@pytest.fixture
async def enriching(scanner: Scanner, client: Client, photos: Path) -> AsyncIterator[Enriching]:
    made = Enriching(scanner, client, photos)
    yield made
    await made.reader.stop()


def put(folder: Path, *files: str, size: tuple[int, int] = (64, 48)) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    for name in files:
        (folder / name).write_bytes(picture(size=size))


async def test_sizes_and_a_cover_are_recorded_and_its_thumbnails_kept(enriching: Enriching, photos: Path) -> None:
    put(photos / "a", "1.jpg", "2.jpg", size=(800, 600))
    summary = await enriching.scan_and_enrich()
    assert summary == Summary(collections=1, images=2, covers=1)
    [entry] = await enriching.entries()
    assert [(image.name, image.width, image.height) for image in entry.images] == [
        ("1.jpg", 800, 600),
        ("2.jpg", 800, 600),
    ]
    assert entry.cover
    assert (entry.cover.name, entry.cover.width, entry.cover.height, entry.image_count) == ("1.jpg", 800, 600, 2)
    for edge in THUMBNAIL_SIZES:
        made = await enriching.thumbnails.get(entry.cover.hash, edge)
        assert made
        with Image.open(BytesIO(made)) as thumbnail:
            assert (thumbnail.format, max(thumbnail.size)) == ("WEBP", edge)


async def test_a_second_run_has_nothing_to_read(enriching: Enriching, photos: Path) -> None:
    put(photos / "a", "1.jpg")
    await enriching.scan_and_enrich()
    events = await enriching.events()
    assert await enriching.scan_and_enrich() == Summary()
    assert await enriching.events() == events


async def test_only_what_is_new_is_read(enriching: Enriching, photos: Path) -> None:
    put(photos / "a", "2.jpg", "3.jpg")
    await enriching.scan_and_enrich()
    put(photos / "a", "4.jpg")
    assert (await enriching.scan_and_enrich()).images == 1
    put(photos / "a", "1.jpg", size=(300, 200))
    assert (await enriching.scan_and_enrich()).images == 1
    covers = [entry.cover.name for entry in await enriching.entries() if entry.cover]
    assert covers == ["2.jpg", "2.jpg", "1.jpg"]
    assert (await enriching.entries())[-1].image_count == 4


async def test_one_that_is_called_cover_is_the_cover(enriching: Enriching, photos: Path) -> None:
    put(photos / "a", "1.jpg", "Cover.jpg")
    await enriching.scan_and_enrich()
    [entry] = await enriching.entries()
    assert entry.cover
    assert entry.cover.name == "Cover.jpg"


async def test_archives_have_covers_too(enriching: Enriching, photos: Path) -> None:
    zipped(photos / "book.cbz", {"1.jpg": picture(size=(100, 50)), "2.jpg": b"", "../3.jpg": picture()})
    assert await enriching.scan_and_enrich() == Summary(collections=1, images=1, covers=1, quarantined=2)
    assert await enriching.quarantined() == {"2.jpg": "empty", "../3.jpg": "bad_name"}


async def test_a_corrupt_file_is_read_again_only_when_it_changes(enriching: Enriching, photos: Path) -> None:
    put(photos / "a", "1.jpg")
    (photos / "a" / "2.jpg").write_bytes(b"broken")
    assert (await enriching.scan_and_enrich()).quarantined == 1
    put(photos / "a", "3.jpg")
    assert (await enriching.scan_and_enrich()).quarantined == 0
    assert [entry.flawed for entry in await enriching.entries()] == [1, 1]
    (photos / "a" / "2.jpg").write_bytes(picture())
    assert await enriching.scan_and_enrich() == Summary(collections=1, images=1, covers=1)
    assert (await enriching.entries())[-1].flawed == 0


async def test_an_archive_that_is_mended_under_the_same_names_is_read_anew(enriching: Enriching, photos: Path) -> None:
    path = zipped(photos / "book.zip", {"1.jpg": picture(), "2.jpg": picture()})
    whole = path.read_bytes()
    at = whole.index(b"\xff\xda") + 30
    path.write_bytes(whole[:at] + b"\0\0\0\0" + whole[at + 4 :])
    assert (await enriching.scan_and_enrich()).quarantined == 1
    path.write_bytes(whole)
    os.utime(path, ns=(1, 1_000_000_000))
    assert await enriching.scan_and_enrich() == Summary(collections=1, images=2, covers=1)


async def test_a_broken_archive_is_in_quarantine_itself(enriching: Enriching, photos: Path) -> None:
    path = zipped(photos / "book.zip", {"1.jpg": picture()})
    await enriching.scanner.scan(photos)
    stamp = path.stat().st_mtime_ns
    path.write_bytes(bytes(path.stat().st_size))
    os.utime(path, ns=(stamp, stamp))
    assert (await enriching.enrich()).quarantined == 1
    assert await enriching.quarantined() == {"": "broken_archive"}


async def test_a_bomb_is_known_by_its_size_and_no_cover(enriching: Enriching, photos: Path) -> None:
    put(photos / "a")
    (photos / "a" / "1.png").write_bytes(png_bomb(12_000))
    await enriching.scan_and_enrich()
    [entry] = await enriching.entries()
    assert (entry.cover, entry.no_cover, entry.images[0].width) == (None, "too_large", 12_000)


async def test_what_is_gone_meanwhile_is_tried_again_with_the_next(enriching: Enriching, photos: Path) -> None:
    put(photos / "a", "1.jpg")
    put(photos / "b", "1.jpg")
    zipped(photos / "book.zip", {"1.jpg": picture()})
    await enriching.scanner.scan(photos)
    (photos / "book.zip").rename(photos.parent / "book.zip")
    (photos / "b").rename(photos.parent / "b")
    assert await enriching.enrich() == Summary(collections=1, images=1, covers=1, passed_over=2)
    assert await enriching.known.count_unread(LIBRARY) == 0
    (photos.parent / "book.zip").rename(photos / "book.zip")
    (photos.parent / "b").rename(photos / "b")
    assert (await enriching.enrich()).collections == 2


async def test_a_root_that_is_away_fails_the_job(enriching: Enriching, photos: Path) -> None:
    put(photos / "a", "1.jpg")
    await enriching.scanner.scan(photos)
    photos.rename(photos.parent / "away")
    with pytest.raises(RootUnavailable):
        await enriching.enrich()
    assert await enriching.events() == []


async def test_the_index_is_made_again_from_the_log(enriching: Enriching, photos: Path) -> None:
    put(photos / "a", "1.jpg")
    (photos / "a" / "2.jpg").write_bytes(b"broken")
    await enriching.scan_and_enrich()
    put(photos / "a", "3.jpg")
    await enriching.scan_and_enrich()
    before = await enriching.rows()
    await enriching.scanner.pool.execute("TRUNCATE enrichments, enriched, looked_at")
    assert await enriching.enrich() == Summary()
    assert await enriching.rows() == before


async def test_two_runs_at_once_lose_nothing(enriching: Enriching, photos: Path) -> None:
    for folder in range(6):
        put(photos / str(folder), "1.jpg", "2.jpg")
    await enriching.scanner.scan(photos)
    await asyncio.gather(enriching.enrich(), enriching.enrich())
    assert await enriching.known.count_unread(LIBRARY) == 0
    before = await enriching.rows()
    await enriching.scanner.pool.execute("TRUNCATE enrichments, enriched, looked_at")
    await enriching.known.catch_up(enriching.scanner.log, LIBRARY)
    assert await enriching.rows() == before


async def test_it_gives_way_to_scans_and_ends_when_it_is_told(enriching: Enriching, photos: Path) -> None:
    put(photos / "a", "1.jpg")
    await enriching.scanner.scan(photos)
    enriching.busy = True
    order = enrich_order_for(photos)
    running = asyncio.create_task(enriching.enricher.run(order, lease()))
    await becomes(lambda: enriching.enricher.running, 1)
    assert isinstance(order.request, JobRequested)
    cancelled = JobCancelled(job_id=order.request.job_id, attempt=1, at=datetime.now(UTC), reason="enough")
    [told] = RecordedLog(names.SCHEDULER).says(cancelled.job_id, cancelled).deliveries
    await enriching.enricher.react(told.recorded)
    assert await running == OwnVerdict()
    assert await enriching.events() == []


async def test_lost_thumbnails_are_made_again_when_somebody_wants_them(
    enriching: Enriching, photos: Path, nats_url: str
) -> None:
    put(photos / "a", "1.jpg")
    await enriching.scan_and_enrich()
    [entry] = await enriching.entries()
    assert entry.cover
    hashed = entry.cover.hash
    await enriching.client.jetstream().delete_stream(names.THUMBS_STREAM)
    assert await enriching.thumbnails.get(hashed, 160) is None
    await provision(nats_url)
    remaking = Remaking(enriching.client, enriching.known, reader=enriching.reader, thumbnails=enriching.thumbnails)
    await remaking.start()
    try:
        wanted = WantedThumbnails(collection_id=entry.collection_id, hash=hashed)
        subject = names.wanted_thumbnails(names.DEFAULT_WORKSPACE)
        await enriching.client.publish(subject, b"unreadable")
        await enriching.client.publish(subject, msgspec.json.encode(wanted))
        await becomes(lambda: enriching.thumbnails.has(hashed), expected=True)
    finally:
        await remaking.stop()


async def test_thumbnails_of_other_bytes_are_not_made(enriching: Enriching, photos: Path) -> None:
    put(photos / "a", "1.jpg")
    await enriching.scan_and_enrich()
    [entry] = await enriching.entries()
    assert entry.cover
    remaking = Remaking(enriching.client, enriching.known, reader=enriching.reader, thumbnails=enriching.thumbnails)
    await enriching.client.jetstream().purge_stream(names.THUMBS_STREAM)
    assert not await remaking.make(entry.collection_id, "0" * 64)
    assert not await remaking.make(uuid4(), entry.cover.hash)
    put(photos / "a", "1.jpg", size=(90, 90))
    assert not await remaking.make(entry.collection_id, entry.cover.hash)


async def test_a_full_store_keeps_the_sizes_and_covers(enriching: Enriching, photos: Path) -> None:
    put(photos / "a", "1.jpg")
    full = Thumbnails(enriching.client, most_mib=0)
    enriching.enricher._thumbnails = full
    assert await enriching.scan_and_enrich() == Summary(collections=1, images=1, covers=1)
    [entry] = await enriching.entries()
    assert entry.cover
    assert not await full.has(entry.cover.hash)


async def test_killed_in_the_middle_it_goes_on_where_it_was(
    enriching: Enriching, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch has 64 collections: what was not recorded of one is read again, and nothing else."""
    monkeypatch.setattr("services.scanner.enrichment.enricher.BATCH_COLLECTIONS", 4)
    for folder in range(12):
        put(photos / f"{folder:02}", "1.jpg")
    await enriching.scanner.scan(photos)
    running = asyncio.create_task(enriching.enrich())
    await becomes(enriching.events_recorded, expected=True)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    recorded = len(await enriching.entries())
    assert 0 < recorded < 12
    assert (await enriching.enrich()).collections == 12 - recorded
    assert len({entry.collection_id for entry in await enriching.entries()}) == 12
    assert len(await enriching.entries()) == 12


async def test_the_reading_process_may_be_killed_at_any_time(enriching: Enriching, photos: Path) -> None:
    for folder in range(8):
        put(photos / f"{folder:02}", "1.jpg", "2.jpg")
    await enriching.scanner.scan(photos)
    running = asyncio.create_task(enriching.enrich())
    await becomes(enriching.reading, expected=True)
    assert enriching.reader.pid
    os.kill(enriching.reader.pid, signal.SIGKILL)
    assert await running == Summary(collections=8, images=16, covers=8)


@pytest.mark.parametrize("package", PACKAGES)
async def test_thousands_of_real_images_have_the_sizes_that_pillow_says(enriching: Enriching, package: str) -> None:
    enriching.root = tree_of(package)
    summary = await enriching.scan_and_enrich()
    paths = {entry.collection_id: entry.path for page in await enriching.scanner.pages() for entry in page.collections}
    found = {
        enriching.root / paths[entry.collection_id] / image.name: (image.width, image.height)
        for entry in await enriching.entries()
        for image in entry.images
    }
    expected = {path: size_of(path) for path in images(enriching.root)}
    assert found == {path: size for path, size in expected.items() if size}
    assert (summary.images, summary.passed_over) == (len(found), 0)
    assert summary.images >= 0.99 * PACKAGES[package]


def size_of(path: Path) -> tuple[int, int] | None:
    """None: it is broken in the package itself."""
    try:
        with Image.open(path) as image:
            image.load()
            return image.size
    except OSError:
        return None
