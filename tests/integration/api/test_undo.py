"""Undoing a scan over HTTP: who is told, what the answer says, and what is shown then."""

import httpx

from linstock.messages.answer import Answer, Undone
from tests.integration.api.conftest import Owner, World
from tests.support.story import Story


def scanned_twice(story: Story) -> Story:
    story.created().requested(1).started(1).page(1, "a").seen(1).succeeded(1)
    return story.requested(2).started(2).page(2, "b", "c").seen(2).succeeded(2)


async def test_an_undo_is_the_scanners_to_do_and_the_answer_counts(
    api: httpx.AsyncClient, world: World, story: Story, scanner_owner: Owner
) -> None:
    fresh = await world.tell(scanned_twice(story))
    undone = Undone(withdrawn=2, left_alone=1)
    scanner_owner.reply = lambda command, body: Answer(status=200, id=story.run(2), undone=undone)
    counts = {"withdrawn": 2, "changed": 0, "restored": 0, "missing": 0, "leftAlone": 1}
    for dry_run in (True, False):
        answer = await api.post(f"/api/v1/scans/{story.run(2)}/undo", json={"dryRun": dry_run}, headers=fresh)
        assert answer.json() == {"scanId": str(story.run(2)), "dryRun": dry_run} | counts
    told = {"type": "UndoScan", "libraryId": str(story.library_id), "scanId": str(story.run(2))}
    assert [body for _, body in scanner_owner.commands] == [told | {"dryRun": True}, told | {"dryRun": False}]


async def test_what_is_undone_is_shown_no_more_and_listed(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(scanned_twice(story))
    url = f"/api/v1/scans/{story.run(2)}"
    before = (await api.get(url, headers=fresh)).json()
    assert (before["undoneAt"], before["undoneBy"]) == (None, None)
    assert (await api.get(f"{url}/undo")).json()["totalCount"] == 0
    fresh = await world.tell(story.undone(2, "b", "c"))
    after = (await api.get(url, headers=fresh)).json()
    assert (after["undoneAt"], after["undoneBy"]) == ("2026-03-03T12:01:00Z", "eva")
    changes = (await api.get(f"{url}/undo")).json()["data"]
    assert [(change["kind"], change["path"], change["imagesBefore"], change["images"]) for change in changes] == [
        ("withdrawn", "b", 2, 0),
        ("withdrawn", "c", 2, 0),
    ]
    assert [row["path"] for row in (await api.get("/api/v1/collections")).json()["data"]] == ["a"]
    assert (await api.get("/api/v1/collections?text=b")).json()["totalCount"] == 0
    assert (await api.get(f"/api/v1/collections/{story.collection('b')}")).status_code == 404
    statistics = (await api.get(f"/api/v1/libraries/{story.library_id}/statistics")).json()
    assert (statistics["collections"], statistics["images"]) == (1, 2)
    net = await api.get(f"{url}/diff?against={story.run(1)}")
    assert net.json()["totalCount"] == 0
