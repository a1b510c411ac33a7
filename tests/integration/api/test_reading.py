"""What is read over HTTP, from recorded events to JSON."""

from uuid import uuid4

import httpx
import pytest

from tests.integration.api.conftest import World
from tests.support.story import Story


async def test_a_library_with_its_collections(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(story.created().scanned(1, "b", "a/zipped.zip", "a"))

    library = (await api.get(f"/api/v1/libraries/{story.library_id}", headers=fresh)).json()
    assert library == {
        "id": str(story.library_id),
        "name": "Pictures",
        "path": "/data/pictures",
        "description": "",
        "autoScan": True,
        "cronExpression": "0 2 * * *",
        "timeZone": "UTC",
        "createdAt": "2026-03-01T12:00:00Z",
        "updatedAt": "2026-03-01T12:00:00Z",
        "version": 1,
    }
    collections = (await api.get(f"/api/v1/libraries/{story.library_id}/collections")).json()
    assert [collection["path"] for collection in collections["data"]] == ["a", "a/zipped.zip", "b"]
    assert collections["data"][1] == {
        "id": str(story.collection("a/zipped.zip")),
        "name": "zipped.zip",
        "path": "a/zipped.zip",
        "kind": "archive",
        "imageCount": 2,
        "bytes": 2000,
        "state": "present",
    }


async def test_the_files_of_a_collection(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(story.created().requested(1).started(1).page(1, "a", images=1203).page(1, "b"))
    path = f"/api/v1/collections/{story.collection('a')}/files"
    every = sorted(f"{number}.jpg" for number in range(1203))
    for size, page in ((200, 1), (200, 4), (7, 143), (200, 7)):
        found = (await api.get(path, params={"page": page, "pageSize": size}, headers=fresh)).json()
        assert [file["name"] for file in found["data"]] == every[(page - 1) * size : page * size]
        assert (found["totalCount"], found["totalPages"]) == (1203, -(-1203 // size))
    first = (await api.get(path, params={"pageSize": 1})).json()["data"][0]
    assert first == {"name": "0.jpg", "bytes": 1000, "modifiedAt": "1970-01-01T00:00:00Z"}
    found = (await api.get(path, params={"text": "11.J", "page": 2, "pageSize": 5})).json()
    matching = [name for name in every if "11.j" in name]
    assert ([file["name"] for file in found["data"]], found["totalCount"]) == (matching[5:10], len(matching))
    assert (await api.get(path, params={"page": 99})).json()["data"] == []
    assert (await api.get(path, params={"text": "x" * 201})).status_code == 422
    assert (await api.get(f"/api/v1/collections/{uuid4()}/files")).json()["code"] == "collection-not-found"


async def test_pages_of_a_list(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(story.created().scanned(1, *"abcde"))
    path = f"/api/v1/libraries/{story.library_id}/collections"
    page = (await api.get(path, params={"page": 2, "pageSize": 2}, headers=fresh)).json()
    assert [collection["path"] for collection in page.pop("data")] == ["c", "d"]
    assert page == {"totalCount": 5, "page": 2, "pageSize": 2, "totalPages": 3}
    beyond = (await api.get(path, params={"page": 9})).json()
    assert (beyond["data"], beyond["totalCount"]) == ([], 5)


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


async def test_a_scheduled_job_and_its_runs(api: httpx.AsyncClient, world: World, story: Story) -> None:
    story.created().scanned(1, "a").requested(2).started(2).failed(2)
    fresh = await world.tell(story)
    schedule = (await api.get(f"/api/v1/scheduledjobs/library/{story.library_id}", headers=fresh)).json()
    next_run = schedule.pop("nextRunAt")
    assert next_run.endswith("T02:00:00Z")
    assert schedule == {
        "id": str(story.schedule_id),
        "name": "Library Scan - Pictures",
        "description": "Automatic scan for library: Pictures",
        "jobType": "LibraryScan",
        "scheduleType": "Cron",
        "cronExpression": "0 2 * * *",
        "timeZone": "UTC",
        "intervalMinutes": None,
        "isEnabled": True,
        "parameters": {"LibraryId": str(story.library_id)},
        "lastRunAt": "2026-03-03T12:01:00Z",
        "lastRunDuration": 2000,
        "lastRunStatus": "Failed",
        "runCount": 2,
        "successCount": 1,
        "failureCount": 1,
        "lastErrorMessage": "There is no folder at /data/pictures",
        "priority": 5,
        "timeoutMinutes": 60,
        "maxRetryAttempts": 3,
        "createdAt": "2026-03-01T12:00:00Z",
        "updatedAt": "2026-03-01T12:00:00Z",
    }
    assert (await api.get(f"/api/v1/scheduledjobs/{story.schedule_id}")).json()["id"] == schedule["id"]
    assert (await api.get("/api/v1/scheduledjobs")).json()["totalCount"] == 1
    runs = (await api.get(f"/api/v1/scheduledjobs/{story.schedule_id}/runs")).json()
    assert [run["status"] for run in runs["data"]] == ["Failed", "Completed"]
    assert runs["data"][1] == {
        "id": str(story.run(1)),
        "scheduledJobId": str(story.schedule_id),
        "scheduledJobName": "Library Scan - Pictures",
        "jobType": "LibraryScan",
        "status": "Completed",
        "attempt": 1,
        "requestedAt": "2026-03-02T12:00:00Z",
        "startedAt": "2026-03-02T12:01:00Z",
        "completedAt": "2026-03-02T12:01:02Z",
        "duration": 2000,
        "errorMessage": None,
        "result": {
            "status": "Completed",
            "libraryId": str(story.library_id),
            "libraryName": "Pictures",
            "libraryPath": "/data/pictures",
            "runId": str(story.run(1)),
            "duration": 2000,
            "message": None,
        },
        "triggeredBy": "Scheduler",
    }


async def test_disabling_shows_and_keeps_the_history(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(story.created().scanned(1, "a").paused())
    schedule = (await api.get(f"/api/v1/scheduledjobs/{story.schedule_id}", headers=fresh)).json()
    assert (schedule["isEnabled"], schedule["nextRunAt"], schedule["runCount"]) == (False, None, 1)


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
