"""Commands while the read models lag: what was done is never called missing."""

from uuid import uuid4

import httpx
import pytest

from linstock.messages.answer import Answer
from services.projection.follower import Follower
from tests.integration.api.conftest import Owner, World
from tests.support.story import Story


@pytest.fixture
async def lagging(api: httpx.AsyncClient, follower: Follower) -> httpx.AsyncClient:
    """Nothing that happens from now on reaches the read models."""
    await follower.stop()
    return api


async def test_a_change_that_is_done_but_can_not_be_shown_is_answered_with_its_operation(
    lagging: httpx.AsyncClient, story: Story, library_owner: Owner
) -> None:
    position = f"library:{story.created().library.position}"
    library_owner.reply = lambda command, body: Answer(status=200, id=story.library_id, position=position)
    answer = await lagging.patch(f"/api/v1/libraries/{story.library_id}", json={"name": "Photos"})
    assert (answer.status_code, answer.json()["status"]) == (202, "done")
    assert answer.headers["location"] == f"/api/v1/operations/{answer.json()['id']}"
    assert answer.headers["linstock-position"] == answer.json()["position"] == position


async def test_a_new_library_that_can_not_be_shown_is_answered_with_its_operation_which_names_it(
    lagging: httpx.AsyncClient, library_owner: Owner
) -> None:
    library_id = uuid4()
    library_owner.reply = lambda command, body: Answer(status=201, id=library_id, position="library:7")
    answer = await lagging.post("/api/v1/libraries", json={"name": "Photos", "path": "/photos"})
    assert (answer.status_code, answer.json()["status"]) == (202, "done")
    assert answer.json()["answer"]["id"] == str(library_id)


async def test_a_scan_of_a_library_that_can_not_be_shown_yet_is_its_owners_business(
    lagging: httpx.AsyncClient, world: World, story: Story, scheduler_owner: Owner
) -> None:
    await world.tell(story.created())
    scheduler_owner.reply = lambda command, body: Answer(status=202, id=story.run(1))
    answer = await lagging.post(f"/api/v1/libraries/{story.library_id}/scans")
    assert (answer.status_code, answer.json()) == (202, {"id": str(story.run(1))})
