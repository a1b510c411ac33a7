"""Files of a collection, page by page."""

from uuid import uuid4

import httpx

from tests.integration.api.conftest import World
from tests.support.story import Story


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
