"""A collection that went to another library: its former id leads to it, and its history goes through both."""

import httpx

from tests.integration.api.conftest import World
from tests.support.story import Story


async def test_a_former_id_leads_to_where_it_is(api: httpx.AsyncClient, world: World, story: Story) -> None:
    story.created().requested(1).started(1).page(1, "a", "b").seen(1).succeeded(1)
    fresh = await world.tell(story.departed("a", to="c"))
    found = (await api.get(f"/api/v1/collections/{story.collection('a')}", headers=fresh)).json()
    assert (found["id"], found["path"]) == (str(story.collection("c")), "c")
    [move] = found["pathHistory"]
    assert (move["from"], move["to"], move["fromLibraryId"]) == ("a", "c", str(story.library_id))
    listed = (await api.get("/api/v1/collections")).json()["data"]
    assert [each["path"] for each in listed] == ["b", "c"]
