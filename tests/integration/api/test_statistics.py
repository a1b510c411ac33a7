"""What there is and how it went: over one library, and over all."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from linstock.messages.catalogue import CollectionEntry, CollectionsRecorded
from tests.integration.api.conftest import World
from tests.support.story import Story

DAY = timedelta(days=1)


def recorded(story: Story, name: str, images: int, at: datetime) -> Story:
    entry = CollectionEntry(
        collection_id=story.collection(name), path=name, name=name, kind="folder", image_count=images,
        size_bytes=images * 1000, digest=f"{images}",
    )  # fmt: skip
    page = CollectionsRecorded(
        scan_id=story.run(1), library_id=story.library_id, attempt=1, page=1, collections=(entry,), files=(), added=1,
        at=at,
    )  # fmt: skip
    story.scanner.says(story.library_id, page)
    return story


async def statistics(api: httpx.AsyncClient, story: Story | None = None, **params: int) -> dict[str, Any]:
    path = f"libraries/{story.library_id}/statistics" if story else "statistics"
    answer = await api.get(f"/api/v1/{path}", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_of_a_library(api: httpx.AsyncClient, world: World, story: Story) -> None:
    story.created().scanned(1, "a", "b").requested(2).started(2).failed(2).requested(3).started(3).held(3, 4)
    await api.get("/api/v1/runs", headers=await world.tell(story))
    found = await statistics(api, story)
    assert (found["libraryId"], found["collections"], found["images"], found["bytes"]) == (
        str(story.library_id), 2, 4, 4000,
    )  # fmt: skip
    assert (found["runs"], found["successes"], found["failures"], found["successRate"]) == (3, 1, 1, 50.0)
    assert (found["lastRunStatus"], found["lastRunAt"]) == ("Running", "2026-03-04T12:01:00Z")
    assert (found["lastErrorMessage"], found["heldRemovals"]) == ("There is no folder at /data/pictures", 4)
    assert found["nextRunAt"].endswith("T02:00:00Z")


async def test_growth_by_the_day(api: httpx.AsyncClient, world: World, story: Story) -> None:
    now = datetime.now(UTC)
    story.created()
    for name, images, days_ago in (("a", 5, 40), ("b", 3, 20), ("c", 2, 3), ("a", 1, 2)):
        recorded(story, name, images, now - days_ago * DAY)
    await api.get("/api/v1/runs", headers=await world.tell(story))
    found = await statistics(api, story, days=4)
    assert (found["collections"], found["images"]) == (3, 6)
    today = datetime.now(UTC).date()
    days = [(day["day"], day["collections"], day["images"], day["bytes"]) for day in found["growth"]["days"]]
    assert days == [
        (str(today - 3 * DAY), 1, 2, 2000),
        (str(today - 2 * DAY), 0, -4, -4000),
        (str(today - DAY), 0, 0, 0),
        (str(today), 0, 0, 0),
    ]
    assert found["growth"]["last7Days"] == {"collections": 1, "images": -2, "bytes": -2000}
    assert found["growth"]["last30Days"] == {"collections": 2, "images": 1, "bytes": 1000}
    assert len((await statistics(api, story))["growth"]["days"]) == 30


async def test_over_all_libraries(api: httpx.AsyncClient, world: World, story: Story) -> None:
    other = Story(beside=story.created().scanned(1, "a", "b")).created().scanned(1, "x")
    await api.get("/api/v1/runs", headers=await world.tell(story))
    found = await statistics(api)
    assert (found["libraryId"], found["collections"], found["images"], found["runs"]) == (None, 3, 6, 2)
    assert found["successRate"] == 100.0

    # What a deleted library held is not there any more; what its runs did stays.
    await api.get("/api/v1/runs", headers=await world.tell(other.deleted()))
    found = await statistics(api)
    assert (found["collections"], found["runs"]) == (2, 2)
    assert (await api.get(f"/api/v1/libraries/{other.library_id}/statistics")).status_code == 404


async def test_before_anything_happened(api: httpx.AsyncClient) -> None:
    found = await statistics(api, days=1)
    assert (found["collections"], found["runs"], found["successRate"], found["nextRunAt"]) == (0, 0, None, None)
    assert found["runDays"] == [{"day": str(datetime.now(UTC).date()), "runs": 0, "successes": 0, "failures": 0}]
    assert (await api.get(f"/api/v1/libraries/{uuid4()}/statistics")).status_code == 404


@pytest.mark.parametrize("days", [1, 366])
async def test_runs_by_the_day(api: httpx.AsyncClient, world: World, story: Story, days: int) -> None:
    await api.get("/api/v1/runs", headers=await world.tell(story.created().scanned(1, "a")))
    found = await statistics(api, days=days)
    assert len(found["runDays"]) == days
    assert sum(day["runs"] for day in found["runDays"]) <= 1
