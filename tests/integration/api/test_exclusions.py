"""What exclude patterns would leave out of a library that is in the catalogue, over HTTP."""

import httpx
import pytest

from services.api.queries import exclusions
from tests.integration.api.conftest import World
from tests.support.story import Story


def told(story: Story) -> Story:
    """Two folders and an archive, and another library beside."""
    story.created().requested(1).started(1).page(1, "drafts/a", images=3).page(1, "drafts/z.zip", images=2)
    Story(beside=story).created().requested(1).started(1).page(1, "drafts/b", images=9)
    return story.page(1, "kept", images=4)


async def ask(api: httpx.AsyncClient, story: Story, *lines: str) -> httpx.Response:
    return await api.post(f"/api/v1/libraries/{story.library_id}/exclusions/preview", json={"patterns": [*lines]})


async def test_each_pattern_and_all_together(api: httpx.AsyncClient, world: World, story: Story) -> None:
    await api.get("/api/v1/libraries", headers=await world.tell(told(story)))
    answer = (await ask(api, story, "drafts/", "*.zip", "*", "nothing")).json()
    assert [(each["collections"], each["images"], each["paths"]) for each in answer["patterns"]][:2] == [
        (2, 5, ["drafts/a", "drafts/z.zip"]),
        (1, 2, ["drafts/z.zip"]),
    ]
    assert [each["warning"] for each in answer["patterns"]] == [
        None,
        None,
        "It matches everything that is in the catalogue.",
        "It matches nothing that is in the catalogue.",
    ]
    del answer["patterns"]
    assert answer == {"collections": 3, "images": 9, "ofCollections": 3, "ofImages": 9, "approximate": False}


async def test_what_is_too_much_is_said_to_be_approximate(
    api: httpx.AsyncClient, world: World, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.get("/api/v1/libraries", headers=await world.tell(told(story)))
    monkeypatch.setattr(exclusions, "MOST_IMAGES", 3)
    answer = (await ask(api, story, "*.jpg")).json()
    assert (answer["approximate"], answer["images"], answer["patterns"][0]["warning"]) == (True, 3, None)
    assert (await ask(api, story, "drafts/")).json()["approximate"] is False


async def test_what_is_no_pattern_is_pointed_to(api: httpx.AsyncClient, world: World, story: Story) -> None:
    await api.get("/api/v1/libraries", headers=await world.tell(told(story)))
    answer = await ask(api, story, "fine", "!")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/patterns/1")
