"""Schedules as they are read."""

from uuid import UUID, uuid4

import httpx
import pytest

from linstock.messages.rules import Timing
from linstock.messages.schedule import JobPolicy, ScheduleChanged, ScheduleDefined, ScheduleDeleted, ScheduleEvent
from tests.integration.api.conftest import World
from tests.support.listed import listed
from tests.support.recorded import NOON
from tests.support.story import Story


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
        "isPaused": False,
        "pausedAt": None,
        "pausedBy": None,
        "pauseReason": None,
        "resumeAt": None,
        "days": "and",
        "clockChanges": "cronos",
        "misfirePolicy": "fire_once",
        "catchupWindowSeconds": 3600,
        "catchupLimit": 100,
        "overlapPolicy": "skip",
        "bufferLimit": 100,
        "jitterSeconds": 0,
        "startsAt": None,
        "endsAt": None,
        "excluded": [],
        "maxRuns": None,
        "pauseAfterFailures": None,
        "calendars": [],
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
        "scanMode": "changed",
        "version": 1,
        "createdAt": "2026-03-01T12:00:00Z",
        "createdBy": "test",
        "updatedAt": "2026-03-01T12:00:00Z",
        "updatedBy": "test",
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
        "requestedBy": "test",
        "scanMode": "changed",
        "libraryId": str(story.library_id),
        "paused": None,
        "progress": None,
        "waitingFor": None,
    }


async def test_disabling_shows_and_keeps_the_history(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(story.created().scanned(1, "a").paused())
    schedule = (await api.get(f"/api/v1/scheduledjobs/{story.schedule_id}", headers=fresh)).json()
    assert (schedule["isEnabled"], schedule["nextRunAt"], schedule["runCount"]) == (False, None, 1)


def defined(story: Story, schedule_id: UUID, name: str, *, enabled: bool = True) -> ScheduleDefined:
    return ScheduleDefined(
        schedule_id=schedule_id, name=name, description="", timing=Timing(expression="0 3 * * *", zone="UTC"),
        target=story.target, enabled=enabled, library_version=1, cursor=NOON, scan_mode="deep",
    )  # fmt: skip


def says(story: Story, event: ScheduleEvent, actor: str = "test") -> Story:
    story.scheduler.says(event.schedule_id, event, actor=actor)
    return story


@pytest.mark.parametrize("resource", ["scheduledjobs", "schedules"])
async def test_several_of_one_library(api: httpx.AsyncClient, world: World, story: Story, resource: str) -> None:
    further, off = story.id("further"), story.id("off")
    says(says(story.created(), defined(story, further, "B"), "ann"), defined(story, off, "A", enabled=False))
    Story(beside=story).created()
    await api.get("/api/v1/libraries", headers=await world.tell(story))
    own = str(story.schedule_id)
    assert await listed(api, resource, "name") == (["A", "B", *["Library Scan - Pictures"] * 2], 4)
    mine = {"libraryId": str(story.library_id)}
    assert await listed(api, resource, "id", **mine) == ([str(off), str(further), own], 3)
    assert await listed(api, resource, "id", isEnabled=False) == ([str(off)], 1)
    assert await listed(api, resource, "id", isEnabled=True, **mine) == ([str(further), own], 2)
    assert (await listed(api, f"{resource}/active", "name", pageSize=1)) == (["B"], 3)
    assert (await api.get(f"/api/v1/{resource}/library/{story.library_id}")).json()["id"] == own
    one = (await api.get(f"/api/v1/{resource}/{further}")).json()
    assert (one["scanMode"], one["createdBy"], one["updatedBy"]) == ("deep", "ann", "ann")


async def test_an_edit_shows_who_and_which_edition(api: httpx.AsyncClient, world: World, story: Story) -> None:
    changed = ScheduleChanged(
        schedule_id=story.schedule_id, version=2, name="Nightly", description="", library_version=1, cursor=NOON,
        timing=Timing(expression="0 4 * * *", zone="Europe/Berlin"), target=story.target, scan_mode="deep",
        policy=JobPolicy(priority=9, timeout_s=90, max_retries=1),
    )  # fmt: skip
    fresh = await world.tell(says(story.created(), changed, "bob"))
    shown = (await api.get(f"/api/v1/schedules/{story.schedule_id}", headers=fresh)).json()
    assert (shown["version"], shown["createdBy"], shown["updatedBy"]) == (2, "test", "bob")
    assert (shown["priority"], shown["timeoutMinutes"], shown["scanMode"]) == (9, 1.5, "deep")


async def test_a_deleted_one_is_gone_and_comes_back_with_its_history(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    deleted = ScheduleDeleted(schedule_id=story.schedule_id, library_version=1, reason="asked")
    fresh = await world.tell(says(story.created().scanned(1, "a"), deleted))
    path = f"/api/v1/scheduledjobs/{story.schedule_id}"
    assert (await api.get(path, headers=fresh)).status_code == 404
    assert (await listed(api, "scheduledjobs", "id")) == ([], 0)
    assert (await listed(api, f"scheduledjobs/{story.schedule_id}/runs", "status")) == (["Completed"], 1)

    fresh = await world.tell(says(story, defined(story, story.schedule_id, "Again")))
    shown = (await api.get(path, headers=fresh)).json()
    assert (shown["name"], shown["version"], shown["runCount"], shown["createdAt"]) == (
        "Again",
        3,
        1,
        "2026-03-01T12:00:00Z",
    )


async def test_a_library_whose_own_schedule_is_deleted_still_names_another(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    deleted = ScheduleDeleted(schedule_id=story.schedule_id, library_version=1, reason="asked")
    further = uuid4()
    fresh = await world.tell(says(says(story.created(), defined(story, further, "Other")), deleted))
    shown = await api.get(f"/api/v1/scheduledjobs/library/{story.library_id}", headers=fresh)
    assert shown.json()["id"] == str(further)
