"""Forgetting what is missing over HTTP: who is told, and what is shown then."""

from datetime import UTC, datetime

import httpx

from linstock.messages.answer import Answer, Purged
from tests.integration.api.conftest import Owner, World
from tests.support.story import Story


async def test_a_purge_is_the_scanners_to_do_and_its_answer_counts(
    api: httpx.AsyncClient, world: World, story: Story, scanner_owner: Owner
) -> None:
    fresh = await world.tell(story.created())
    purged = Purged(missing_before=datetime(2026, 3, 3, tzinfo=UTC), collections=2, images=1)
    scanner_owner.reply = lambda command, body: Answer(status=200, id=story.library_id, purged=purged)
    url, one = f"/api/v1/libraries/{story.library_id}/missing/purge", str(story.collection("a"))
    wanted = {"olderThanDays": 90.0, "collectionIds": [one], "dryRun": True}
    answer = await api.post(url, json=wanted, headers=fresh)
    assert answer.json() == {
        "libraryId": str(story.library_id),
        "dryRun": True,
        "missingBefore": "2026-03-03T00:00:00Z",
        "collections": 2,
        "images": 1,
    }
    ((_, told),) = scanner_owner.commands
    assert told == {
        "type": "PurgeMissing",
        "libraryId": str(story.library_id),
        "olderThanDays": 90,
        "collections": [one],
        "dryRun": True,
    }


async def test_what_is_purged_is_shown_no_more(api: httpx.AsyncClient, world: World, story: Story) -> None:
    story.created().requested(1).started(1).page(1, "a", "b").seen(1).succeeded(1)
    fresh = await world.tell(story.requested(2).started(2).marked_missing(2, "b").seen(2).succeeded(2))
    listed = "/api/v1/collections?state=missing"
    assert (await api.get(listed, headers=fresh)).json()["totalCount"] == 1
    fresh = await world.tell(story.purged("b"))
    assert (await api.get(listed, headers=fresh)).json()["totalCount"] == 0
    assert (await api.get(f"/api/v1/collections/{story.collection('b')}")).status_code == 404
    statistics = (await api.get(f"/api/v1/libraries/{story.library_id}/statistics")).json()
    assert (statistics["collections"], statistics["missingCollections"]) == (1, 0)
