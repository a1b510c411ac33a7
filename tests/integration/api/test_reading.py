"""What is read over HTTP, from recorded events to JSON."""

from uuid import uuid4

import httpx
import msgspec
import pytest
from nats.aio.client import Client

from linstock import names
from linstock.messages.progress import ScanProgress
from tests.integration.api.conftest import World
from tests.support.recorded import NOON
from tests.support.story import Story
from tests.support.waiting import becomes


async def test_a_run_is_completed_when_its_job_has_ended_and_not_before(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    fresh = await world.tell(story.created().requested(1))
    scan = (await api.get(f"/api/v1/scans/{story.run(1)}", headers=fresh)).json()
    assert (scan["status"], scan["attempt"], scan["counts"]) == ("Pending", 0, None)

    fresh = await world.tell(story.started(1).page(1, "a").seen(1))
    scan = (await api.get(f"/api/v1/scans/{story.run(1)}", headers=fresh)).json()
    assert (scan["status"], scan["completedAt"], scan["counts"]["collections"]) == ("Running", None, 2)

    fresh = await world.tell(story.succeeded(1))
    scan = (await api.get(f"/api/v1/scans/{story.run(1)}", headers=fresh)).json()
    assert (scan["status"], scan["duration"], scan["removals"]) == ("Completed", 2000, "none")
    assert scan["report"] == [
        {"code": "broken_archive", "path": "b.zip", "message": "no central directory", "pathBytes": None}
    ]


async def test_a_running_scan_says_how_far_it_is(
    api: httpx.AsyncClient, world: World, story: Story, client: Client
) -> None:
    story.created().scanned(1, "a").requested(2).started(2)
    fresh = await world.tell(story)
    url = f"/api/v1/scans/{story.run(2)}"
    assert (await api.get(url, headers=fresh)).json()["progress"] is None
    for run in (1, 2):
        said = ScanProgress(folders=4, files=30, collections=2, images=20, errors=1, elapsed_ms=3000, at=NOON)
        await client.publish(names.progress_subject("default", story.run(run)), msgspec.json.encode(said))

    async def shown() -> object:
        return (await api.get(url)).json()["progress"]

    expected = {
        "phase": "walking",
        "sizeBytes": 0,
        "filesPerSecond": None,
        "bytesPerSecond": None,
        "expectedFiles": 50,
        "files": 30,
        "folders": 4,
        "collections": 2,
        "images": 20,
        "errors": 1,
        "verified": 0,
        "verifiedBytes": 0,
        "at": "2026-03-01T12:00:00Z",
        "percent": 60,
        "etaSeconds": 2,
    }
    await becomes(shown, expected)
    scans = (await api.get(f"/api/v1/libraries/{story.library_id}/scans")).json()["data"]
    assert [scan["progress"] for scan in scans] == [expected, None]
    fresh = await world.tell(story.seen(2).succeeded(2))
    assert (await api.get(url, headers=fresh)).json()["progress"] is None


async def test_retries_and_failures_say_why(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(story.created().requested(1).started(1).retried(1))
    scan = (await api.get(f"/api/v1/scans/{story.run(1)}", headers=fresh)).json()
    assert (scan["status"], scan["errorCode"], scan["nextAttemptAt"]) == (
        "Retrying",
        "lease_lost",
        "2026-03-02T12:01:12Z",
    )
    fresh = await world.tell(story.started(1, attempt=2).failed(1, attempt=2))
    scan = (await api.get(f"/api/v1/scans/{story.run(1)}", headers=fresh)).json()
    assert (scan["status"], scan["attempt"], scan["errorCode"]) == ("Failed", 2, "root_missing")


async def test_held_removals_until_a_later_scan_settles_them(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    story.created().scanned(1, "a").requested(2).started(2).held(2, 7).seen(2, held=7).succeeded(2)
    fresh = await world.tell(story)
    scan = (await api.get(f"/api/v1/scans/{story.run(2)}", headers=fresh)).json()
    assert (scan["status"], scan["removals"], scan["held"]) == ("Completed", "held", 7)

    # The root is still empty: the catalogue records no second hold, and yet this scan holds the same back.
    fresh = await world.tell(story.requested(3).started(3).seen(3, held=7).succeeded(3))
    scan = (await api.get(f"/api/v1/scans/{story.run(3)}", headers=fresh)).json()
    assert (scan["removals"], scan["held"]) == ("held", 7)

    story.requested(4).started(4).settled(4, held_by=2).seen(4).succeeded(4)
    fresh = await world.tell(story)
    for number in (2, 3):
        scan = (await api.get(f"/api/v1/scans/{story.run(number)}", headers=fresh)).json()
        assert (scan["removals"], scan["held"]) == ("none", 0)
    scans = (await api.get(f"/api/v1/libraries/{story.library_id}/scans")).json()
    assert [scan["id"] for scan in scans["data"]] == [str(story.run(number)) for number in (4, 3, 2, 1)]
    assert {scan["removals"] for scan in scans["data"]} == {"none"}


async def test_a_deleted_library_is_gone_and_its_runs_stay(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(story.created().scanned(1, "a").deleted())
    for path in (
        f"/api/v1/libraries/{story.library_id}",
        f"/api/v1/libraries/{story.library_id}/collections",
        f"/api/v1/scheduledjobs/{story.schedule_id}",
        f"/api/v1/scheduledjobs/library/{story.library_id}",
    ):
        assert (await api.get(path, headers=fresh)).status_code == 404, path
    assert (await api.get("/api/v1/libraries")).json()["totalCount"] == 0
    runs = (await api.get(f"/api/v1/scheduledjobs/{story.schedule_id}/runs")).json()
    assert runs["totalCount"] == 1
    assert (await api.get(f"/api/v1/scans/{story.run(1)}")).json()["status"] == "Completed"
    assert (await api.get(f"/api/v1/libraries/{story.library_id}/scans")).json()["totalCount"] == 1


async def test_a_get_that_names_a_position_never_reached_says_so(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    await world.tell(story.created())
    answer = await api.get("/api/v1/libraries", headers={"Linstock-Position": "library:1000000"})
    assert (answer.status_code, answer.headers["Linstock-Stale"]) == (200, "true")
    fresh = await api.get("/api/v1/libraries", headers={"Linstock-Position": "library:1"})
    assert "Linstock-Stale" not in fresh.headers


async def test_what_is_not_there(api: httpx.AsyncClient) -> None:
    for path in (
        f"/api/v1/libraries/{uuid4()}",
        f"/api/v1/libraries/{uuid4()}/collections",
        f"/api/v1/libraries/{uuid4()}/scans",
        f"/api/v1/scans/{uuid4()}",
        f"/api/v1/scheduledjobs/{uuid4()}",
        f"/api/v1/scheduledjobs/{uuid4()}/runs",
        f"/api/v1/scheduledjobs/library/{uuid4()}",
        f"/api/v1/operations/{uuid4()}",
        "/api/v1/libraries/not-an-id",
        "/nowhere",
        "/docs/nowhere",
    ):
        answer = await api.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path
        assert answer.json()["code"].endswith("not-found")


async def test_another_workspaces_rows_do_not_exist_here(api: httpx.AsyncClient, world: World) -> None:
    theirs = Story(workspace="theirs").created().scanned(1, "a")
    fresh = await world.tell(theirs)
    assert (await api.get("/api/v1/libraries", headers=fresh)).json()["totalCount"] == 0
    for path in (f"libraries/{theirs.library_id}", f"scans/{theirs.run(1)}", f"scheduledjobs/{theirs.schedule_id}",
                 f"scheduledjobs/{theirs.schedule_id}/runs", f"operations/{theirs.id('create')}"):  # fmt: skip
        assert (await api.get(f"/api/v1/{path}")).status_code == 404, path


@pytest.mark.parametrize("path", ["/openapi.json", "/api/openapi.json", "/"])
async def test_where_things_are(api: httpx.AsyncClient, path: str) -> None:
    assert (await api.get(path)).status_code == 200
