"""Copies and rot over HTTP."""

import httpx

from linstock.messages.answer import Answer, Many
from tests.integration.api.conftest import Owner, World
from tests.support.story import Story


async def test_copies_are_grouped_those_first_of_which_most_can_be_reclaimed(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    story.created().requested(1).started(1).page(1, "a", "b", "c").hashed(1, a="xyx", b="xz", c="z")
    fresh = await world.tell(story)
    found = (await api.get("/api/v1/duplicates", headers=fresh)).json()
    assert found["totalCount"] == 2
    assert [(each["count"], each["reclaimableBytes"]) for each in found["data"]] == [(3, 2000), (2, 1000)]
    assert [file["path"] for file in found["data"][0]["files"]] == ["a/0.jpg", "a/2.jpg", "b/0.jpg"]
    assert len(found["data"][0]["hash"]) == 64
    page = (await api.get("/api/v1/duplicates?page=2&pageSize=1")).json()
    assert (page["totalCount"], page["data"][0]["count"]) == (2, 2)
    other = await api.get(f"/api/v1/duplicates?libraryId={story.schedule_id}")
    assert other.json()["totalCount"] == 0


async def test_what_is_missing_or_was_changed_is_no_copy(api: httpx.AsyncClient, world: World, story: Story) -> None:
    story.created().requested(1).started(1).page(1, "a", "b", "c").hashed(1, a="xy", b="xy", c="x")
    story.marked_missing(1, "c").page(1, "b", newer_ns=5)
    fresh = await world.tell(story)
    assert (await api.get("/api/v1/duplicates", headers=fresh)).json()["totalCount"] == 0


async def test_rot_is_listed_until_somebody_takes_it_as_it_is(
    api: httpx.AsyncClient, world: World, story: Story, scanner_owner: Owner
) -> None:
    story.created().requested(1).started(1).page(1, "a").hashed(1, a="xy").rotten(1, "a", 1)
    fresh = await world.tell(story)
    url = f"/api/v1/libraries/{story.library_id}/rot"
    (file,) = (await api.get(url, headers=fresh)).json()["data"]
    assert (file["path"], file["name"], file["bytes"]) == ("a/1.jpg", "1.jpg", 1000)
    assert file["expected"] != file["found"]
    counts = Many(matched=1, changed=1)
    scanner_owner.reply = lambda command, body: Answer(status=200, id=story.library_id, many=counts)
    accepted = await api.post(f"{url}/accept")
    assert (accepted.status_code, accepted.json()) == (200, {"accepted": 1})
    assert [name for name, _ in scanner_owner.commands] == ["AcceptRot"]
