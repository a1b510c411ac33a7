"""Runs: of a schedule, of a library, of all; filtered, in pages, and after some were forgotten."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from linstock import names
from linstock.messages.job import JobCancelled, ScanRequested
from linstock.messages.retention import RetentionApplied
from linstock.messages.schedule import JobPolicy
from tests.integration.api.conftest import World
from tests.support.listed import listed
from tests.support.recorded import NOON
from tests.support.story import Story

DAY = timedelta(days=1)


def asked_for(story: Story, run: int, *, triggered_by: str = "Manual", actor: str = "ann") -> Story:
    job_id, at = story.run(run), NOON + run * DAY
    request = ScanRequested(
        job_id=job_id, schedule_id=story.schedule_id, instant=None, triggered_by=triggered_by, target=story.target,
        policy=JobPolicy(), requested_at=at, scan_mode="deep",
    )  # fmt: skip
    story.scheduler.says(job_id, request, actor=actor)
    return story


def cancelled(story: Story, run: int) -> Story:
    at = NOON + run * DAY
    story.scheduler.says(story.run(run), JobCancelled(job_id=story.run(run), attempt=1, at=at, reason="enough"))
    return story


def history(story: Story) -> Story:
    """1 Completed, 2 Failed, 3 Cancelled (by hand), 4 Completed, 5 Pending (through the API)."""
    story.created().scanned(1, "a").requested(2).started(2).failed(2)
    cancelled(asked_for(story, 3), 3).scanned(4, "a")
    return asked_for(story, 5, triggered_by="API", actor="bob")


def ids(story: Story, *runs: int) -> list[str]:
    return [str(story.run(run)) for run in runs]


async def test_one_run(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(history(story))
    run = (await api.get(f"/api/v1/runs/{story.run(3)}", headers=fresh)).json()
    assert (run["status"], run["errorMessage"], run["triggeredBy"]) == ("Cancelled", "enough", "Manual")
    assert (run["requestedBy"], run["scanMode"], run["libraryId"]) == ("ann", "deep", str(story.library_id))
    gone = await api.get(f"/api/v1/runs/{uuid4()}")
    assert (gone.status_code, gone.json()["code"]) == (404, "run-not-found")


async def test_every_filter(api: httpx.AsyncClient, world: World, story: Story) -> None:
    other = Story(beside=history(story)).created().scanned(1, "x")
    await api.get("/api/v1/runs", headers=await world.tell(story))
    mine = {"libraryId": str(story.library_id)}
    assert await listed(api, "runs", "id", **mine) == (ids(story, 5, 4, 3, 2, 1), 5)
    assert (await listed(api, "runs", "id"))[1] == 6
    assert await listed(api, "runs", "id", scheduledJobId=str(story.schedule_id), pageSize=2) == (ids(story, 5, 4), 5)
    assert await listed(api, "runs", "id", status="Failed") == (ids(story, 2), 1)
    assert await listed(api, "runs", "id", status="Completed", **mine) == (ids(story, 4, 1), 2)
    assert await listed(api, "runs", "id", status="Running") == ([], 0)
    assert await listed(api, "runs", "id", triggeredBy="Manual") == (ids(story, 3), 1)
    assert await listed(api, "runs", "id", triggeredBy="API", **mine) == (ids(story, 5), 1)
    assert await listed(api, "runs", "id", triggeredBy="Scheduler", status="Failed") == (ids(story, 2), 1)
    assert await listed(api, "runs", "id", triggeredBy="Manual", status="Failed") == ([], 0)
    both = {"scheduledJobId": str(story.schedule_id)}
    assert (await listed(api, "runs", "id", **both, **mine))[1] == 5
    assert await listed(api, "runs", "id", **both, libraryId=str(other.library_id)) == ([], 0)


@pytest.mark.parametrize("resource", ["scheduledjobs", "schedules"])
async def test_of_one_schedule_and_the_newest_of_all(
    api: httpx.AsyncClient, world: World, story: Story, resource: str
) -> None:
    await api.get("/api/v1/runs", headers=await world.tell(history(story)))
    path = f"{resource}/{story.schedule_id}/runs"
    assert await listed(api, path, "id", page=2, pageSize=2) == (ids(story, 3, 2), 5)
    assert await listed(api, path, "id", status="Completed", page=2, pageSize=1) == (ids(story, 1), 2)
    assert await listed(api, path, "id", page=4, pageSize=2) == ([], 5)
    assert await listed(api, f"{resource}/runs/recent", "id", limit=3) == (ids(story, 5, 4, 3), 5)
    assert (await api.get(f"/api/v1/{resource}/{uuid4()}/runs")).status_code == 404


async def test_pages_are_full_and_totals_right_after_forgetting(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    """The second is open and stays, with a number below those that are gone."""
    story.created().scanned(1, "a").requested(2).started(2)
    for run in range(3, 11):
        story.scanned(run, "a")
    before = NOON + 7 * DAY
    story.scheduler.says(names.retention_of(names.SCHEDULER), RetentionApplied(before=before, days=90))
    await api.get("/api/v1/runs", headers=await world.tell(story))
    kept = ids(story, 10, 9, 8, 7, 2)
    for path in ("runs", f"schedules/{story.schedule_id}/runs", f"libraries/{story.library_id}/scans"):
        assert await listed(api, path, "id") == (kept, 5)
        assert await listed(api, path, "id", page=2, pageSize=2) == (kept[2:4], 5)
        assert await listed(api, path, "id", page=3, pageSize=2) == (kept[4:], 5)
    assert await listed(api, "runs", "id", status="Running") == (kept[4:], 1)
    assert (await api.get(f"/api/v1/runs/{story.run(3)}")).status_code == 404
    schedule = (await api.get(f"/api/v1/schedules/{story.schedule_id}")).json()
    assert (schedule["runCount"], schedule["successCount"]) == (10, 9)


async def test_a_page_across_blocks(api: httpx.AsyncClient, world: World, story: Story) -> None:
    """More runs than one block counts, so that a page begins in one and ends in the next."""
    story.created()
    for run in range(1, 4101):
        cancelled(asked_for(story, run), run)
    await api.get("/api/v1/runs", headers=await world.tell(story))
    for page in (1, 2, 1025, 2049, 2050):
        newest = 4100 - (page - 1) * 2
        assert await listed(api, "runs", "id", page=page, pageSize=2) == (ids(story, newest, newest - 1), 4100)
        assert (await listed(api, "runs", "id", page=page, pageSize=2, triggeredBy="Manual"))[0][0] == ids(
            story, newest
        )[0]
