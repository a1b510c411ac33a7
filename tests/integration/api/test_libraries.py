"""Libraries as they are read, and filters that can't be."""

from uuid import UUID

import httpx

from linstock.messages.library import LibraryCreated, Settings
from tests.integration.api.conftest import World
from tests.support.listed import listed
from tests.support.story import Story


def library(name: str, path: str, *, seed: int) -> LibraryCreated:
    settings = Settings(name=name, path=path, exclude_patterns=("*.tmp",), include_subfolders=False)
    return LibraryCreated(library_id=UUID(int=seed), settings=settings)


async def test_libraries_found_and_sorted(api: httpx.AsyncClient, world: World, story: Story) -> None:
    for seed, (name, path) in enumerate([("Zoo", "/data/animals"), ("art", "/data/Museum"), ("Mid", "/data/x_y")], 1):
        story.library.says(UUID(int=seed), library(name, path, seed=seed))
    fresh = await world.tell(story)
    first = (await api.get(f"/api/v1/libraries/{UUID(int=1)}", headers=fresh)).json()
    assert (first["includeSubfolders"], first["excludePatterns"], first["version"]) == (False, ["*.tmp"], 1)

    assert await listed(api, "libraries", "name") == (["Mid", "Zoo", "art"], 3)
    assert await listed(api, "libraries", "name", sort="-name") == (["art", "Zoo", "Mid"], 3)
    assert await listed(api, "libraries", "name", sort="createdAt", pageSize=2) == (["Zoo", "art"], 3)
    assert await listed(api, "libraries", "name", sort="-createdAt", page=3, pageSize=1) == (["Zoo"], 3)
    assert await listed(api, "libraries", "name", text="MUSEUM") == (["art"], 1)
    assert await listed(api, "libraries", "name", text="o") == (["Zoo"], 1)
    assert await listed(api, "libraries", "name", text="x_") == (["Mid"], 1)
    assert await listed(api, "libraries", "name", text="%") == ([], 0)


async def test_filters_that_are_wrong(api: httpx.AsyncClient) -> None:
    for path, parameter in (
        ("libraries?sort=size", "sort"),
        (f"libraries?text={'x' * 201}", "text"),
        ("collections?state=gone", "state"),
        ("collections?kind=file", "kind"),
        ("collections?libraryId=1", "libraryId"),
        ("runs?status=Sleeping", "status"),
        ("runs?triggeredBy=me", "triggeredBy"),
        ("runs?scheduledJobId=x", "scheduledJobId"),
        ("scheduledjobs?isEnabled=perhaps", "isEnabled"),
        ("scheduledjobs/runs/recent?limit=0", "limit"),
        ("statistics?days=0", "days"),
    ):
        answer = await api.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), path
        assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


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
        "includeSubfolders": True,
        "watch": False,
        "purgeMissingAfterDays": 0,
        "watching": {"mode": "off", "since": None, "reason": ""},
        "excludePatterns": [],
        "extensions": [".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp", ".cbz", ".zip"],
        "createdAt": "2026-03-01T12:00:00Z",
        "updatedAt": "2026-03-01T12:00:00Z",
        "version": 1,
        "guard": {"maxRemovedPercent": 10, "maxRemoved": 100, "minAlways": 3},
        "heldRemovals": None,
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
        "libraryId": str(story.library_id),
        "recordedAt": "2026-03-02T12:01:00Z",
        "missingSince": None,
        "cover": None,
    }
