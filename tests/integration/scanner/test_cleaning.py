"""Thumbnails that no collection has as its cover go; all others stay, and what went wrongly is made again."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import msgspec
from msgspec import Raw

from linstock import names
from linstock.eventlog.record import Recorded
from linstock.jobs.orders import Order
from linstock.messages.catalogue import PurgeMissing
from linstock.messages.job import JobRequested
from linstock.messages.library import LibraryDeleted
from linstock.messages.maintenance import CLEAN_THUMBNAILS, CleanThumbnailsPayload
from linstock.messages.schedule import JobPolicy
from services.scanner.enrichment.cleaning import Cleaned, Cleaner
from services.scanner.watching.roster import Roster
from tests.integration.scanner.conftest import LIBRARY, lease
from tests.integration.scanner.test_enrichment import Enriching, client, enriching, put
from tests.integration.scanner.test_purge import purge

__all__ = ["client", "enriching"]
LATER = timedelta(hours=2)


async def clean(enriching: Enriching, *, dry_run: bool = False, ahead: timedelta = LATER) -> Cleaned:
    request = JobRequested(
        job_id=uuid4(),
        job_type=CLEAN_THUMBNAILS,
        queue=names.MAINTENANCE_QUEUE,
        payload=Raw(msgspec.json.encode(CleanThumbnailsPayload(dry_run=dry_run))),
        policy=JobPolicy(),
        requested_at=datetime.now(UTC),
        triggered_by="API",
    )
    order = Order(
        request=request,
        attempt=1,
        workspace=names.DEFAULT_WORKSPACE,
        event_id=uuid4(),
        correlation_id=uuid4(),
        traceparent=None,
    )
    cleaner = Cleaner(
        enriching.scanner.log,
        Roster(enriching.scanner.pool),
        enriching.thumbnails,
        now=lambda: datetime.now(UTC) + ahead,
    )
    result = await cleaner.run(order, lease())
    assert isinstance(result, Raw)
    return msgspec.json.decode(result, type=Cleaned)


async def covers(enriching: Enriching) -> dict[str, str]:
    """By path, as recorded last."""
    paths = {each.collection_id: each.path for page in await enriching.scanner.pages() for each in page.collections}
    return {paths[each.collection_id]: each.cover.hash for each in await enriching.entries() if each.cover}


async def furnish(enriching: Enriching, photos: Path) -> dict[str, str]:
    for at, name in enumerate(("Rome", "Oslo", "Lima")):
        put(photos / name, "1.jpg", size=(64 + at, 48))
    put(photos / "Copy of Rome", "1.jpg", size=(64, 48))  # the same bytes, the same cover
    await enriching.scan_and_enrich()
    return await covers(enriching)


async def test_only_what_nobody_has_as_a_cover_goes(enriching: Enriching, photos: Path) -> None:
    before = await furnish(enriching, photos)
    put(photos / "Oslo", "1.jpg", size=(500, 48))  # another cover
    shutil.rmtree(photos / "Lima")
    shutil.rmtree(photos / "Rome")
    await enriching.scan_and_enrich()
    told = await clean(enriching, dry_run=True)
    assert (told.objects, told.kept, told.hashes) == (3, 9, [before["Oslo"]])  # what is missing keeps its own
    assert await enriching.thumbnails.has(before["Oslo"])
    enriching.scanner.ahead = timedelta(seconds=1)
    await purge(enriching.scanner, PurgeMissing(library_id=LIBRARY))
    cleaned = await clean(enriching)
    assert (cleaned.objects, cleaned.kept, set(cleaned.hashes)) == (6, 6, {before["Oslo"], before["Lima"]})
    assert cleaned.bytes > 0
    assert not await enriching.thumbnails.has(before["Lima"])
    assert await enriching.thumbnails.has(before["Copy of Rome"])
    assert await enriching.thumbnails.has((await covers(enriching))["Oslo"])
    assert (await clean(enriching)).objects == 0


async def test_what_comes_back_after_a_purge_has_its_cover_again(enriching: Enriching, photos: Path) -> None:
    before = await furnish(enriching, photos)
    (photos / "Lima").rename(photos.parent / "Lima")
    await enriching.scanner.scan(photos)
    enriching.scanner.ahead = timedelta(seconds=1)
    await purge(enriching.scanner, PurgeMissing(library_id=LIBRARY))
    (photos.parent / "Lima").rename(photos / "Lima")
    await enriching.scan_and_enrich()
    assert (await clean(enriching)).objects == 0
    assert await enriching.thumbnails.has(before["Lima"])


async def test_what_was_stored_just_now_may_be_somebodys_soon(enriching: Enriching, photos: Path) -> None:
    await furnish(enriching, photos)
    await enriching.thumbnails.put("0" * 64, {160: b"webp"})
    told = await clean(enriching, ahead=timedelta())
    assert (told.objects, told.young) == (0, 1)
    assert (await clean(enriching)).objects == 1


async def test_of_a_deleted_library_nothing_stays_and_an_empty_index_loses_nothing(
    enriching: Enriching, photos: Path
) -> None:
    before = await furnish(enriching, photos)
    await enriching.scanner.pool.execute("TRUNCATE enrichments, enriched, looked_at, index_images, index_collections")
    assert (await clean(enriching)).objects == 0
    await Roster(enriching.scanner.pool).react(deleted())
    assert (await clean(enriching)).objects == 9
    assert not await enriching.thumbnails.has(before["Rome"])


async def test_without_any_there_is_nothing_to_do(enriching: Enriching) -> None:
    assert await clean(enriching) == Cleaned(dry_run=False)


def deleted() -> Recorded:
    event = LibraryDeleted(library_id=LIBRARY)
    return Recorded(
        log=names.LIBRARY,
        position=9,
        event_id=uuid4(),
        aggregate="library",
        aggregate_id=LIBRARY,
        version=9,
        type=str(type(event).__struct_config__.tag),
        time=datetime.now(UTC),
        workspace=names.DEFAULT_WORKSPACE,
        actor="eva",
        correlation_id=uuid4(),
        causation_id=None,
        traceparent=None,
        data=Raw(msgspec.json.encode(event)),
    )
