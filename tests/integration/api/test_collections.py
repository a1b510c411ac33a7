"""Collections, found and sorted, over one library and over all."""

from uuid import uuid4

import httpx

from tests.integration.api.conftest import World
from tests.support.listed import listed
from tests.support.story import Story


async def test_pages_of_a_list(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(story.created().scanned(1, *"abcde"))
    path = f"/api/v1/libraries/{story.library_id}/collections"
    page = (await api.get(path, params={"page": 2, "pageSize": 2}, headers=fresh)).json()
    assert [collection["path"] for collection in page.pop("data")] == ["c", "d"]
    assert page == {"totalCount": 5, "page": 2, "pageSize": 2, "totalPages": 3}
    beyond = (await api.get(path, params={"page": 9})).json()
    assert (beyond["data"], beyond["totalCount"]) == ([], 5)


def told(story: Story) -> Story:
    """Two folders and an archive, recorded one after the other."""
    story.created().requested(1).started(1).page(1, "Trips/Öland", images=3).page(1, "a.zip", images=1)
    return story.requested(2).started(2).page(2, "b", images=2)


async def test_every_order(api: httpx.AsyncClient, world: World, story: Story) -> None:
    await api.get("/api/v1/libraries", headers=await world.tell(told(story)))
    orders = {
        "path": ["Trips/Öland", "a.zip", "b"],
        "name": ["a.zip", "b", "Öland"],
        "imageCount": ["a.zip", "b", "Trips/Öland"],
        "bytes": ["a.zip", "b", "Trips/Öland"],
    }
    for sort, expected in orders.items():
        field = "name" if sort == "name" else "path"
        assert await listed(api, "collections", field, sort=sort) == (expected, 3)
        assert await listed(api, "collections", field, sort=f"-{sort}") == (expected[::-1], 3)
        for page, value in enumerate(expected, 1):
            assert await listed(api, "collections", field, sort=sort, page=page, pageSize=1) == ([value], 3)
    assert (await listed(api, "collections", "path", sort="-recordedAt"))[0][0] == "b"
    assert (await listed(api, "collections", "path", sort="recordedAt", pageSize=2, page=2)) == (["b"], 3)


async def test_every_filter(api: httpx.AsyncClient, world: World, story: Story) -> None:
    Story(beside=told(story)).created().requested(1).started(1).page(1, "c")
    await api.get("/api/v1/libraries", headers=await world.tell(story))
    assert await listed(api, "collections", "path") == (["Trips/Öland", "a.zip", "b", "c"], 4)
    mine = {"libraryId": str(story.library_id)}
    assert await listed(api, "collections", "path", **mine) == (["Trips/Öland", "a.zip", "b"], 3)
    assert await listed(api, "collections", "path", kind="archive") == (["a.zip"], 1)
    assert await listed(api, "collections", "path", kind="folder", **mine) == (["Trips/Öland", "b"], 2)
    assert await listed(api, "collections", "path", state="present", pageSize=1) == (["Trips/Öland"], 4)
    assert await listed(api, "collections", "path", state="missing") == ([], 0)
    assert await listed(api, "collections", "path", text="ÖLA") == (["Trips/Öland"], 1)
    assert await listed(api, "collections", "path", text="i", sort="-bytes") == (["Trips/Öland", "a.zip"], 2)
    assert await listed(api, "collections", "path", text="%") == ([], 0)
    assert await listed(api, "collections", "path", libraryId=str(uuid4())) == ([], 0)
    path = f"libraries/{story.library_id}/collections"
    assert await listed(api, path, "path", kind="folder", text="trips") == (["Trips/Öland"], 1)


async def test_one_collection(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(told(story))
    path = f"/api/v1/collections/{story.collection('b')}"
    shown = (await api.get(path, headers=fresh)).json()
    assert (shown["path"], shown["imageCount"], shown["libraryId"]) == ("b", 2, str(story.library_id))
    gone = await api.get(path, headers=await world.tell(story.deleted()))
    assert (gone.status_code, gone.json()["code"]) == (404, "collection-not-found")


async def test_a_deleted_librarys_collections_are_not_listed(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    await world.tell(told(story))
    await api.get("/api/v1/libraries", headers=await world.tell(story.deleted()))
    assert await listed(api, "collections", "path") == ([], 0)
    assert await listed(api, "collections", "path", text="b") == ([], 0)


async def test_the_files_of_a_collection(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(story.created().requested(1).started(1).page(1, "a", images=1203).page(1, "b"))
    path = f"/api/v1/collections/{story.collection('a')}/files"
    every = sorted(f"{number}.jpg" for number in range(1203))
    for size, page in ((200, 1), (200, 4), (7, 143), (200, 7)):
        found = (await api.get(path, params={"page": page, "pageSize": size}, headers=fresh)).json()
        assert [file["name"] for file in found["data"]] == every[(page - 1) * size : page * size]
        assert (found["totalCount"], found["totalPages"]) == (1203, -(-1203 // size))
    first = (await api.get(path, params={"pageSize": 1})).json()["data"][0]
    assert first == {
        "name": "0.jpg",
        "bytes": 1000,
        "modifiedAt": "1970-01-01T00:00:00Z",
        "missingSince": None,
        "width": None,
        "height": None,
        "valid": None,
        "movedFrom": None,
    }
    found = (await api.get(path, params={"text": "11.J", "page": 2, "pageSize": 5})).json()
    matching = [name for name in every if "11.j" in name]
    assert ([file["name"] for file in found["data"]], found["totalCount"]) == (matching[5:10], len(matching))
    assert (await api.get(path, params={"page": 99})).json()["data"] == []
    assert (await api.get(path, params={"text": "x" * 201})).status_code == 422
    assert (await api.get(f"/api/v1/collections/{uuid4()}/files")).json()["code"] == "collection-not-found"
