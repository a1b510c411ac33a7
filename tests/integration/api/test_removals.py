"""What a scan did not find: how it is shown, and who is told what is decided."""

import httpx

from linstock.messages.answer import Answer
from tests.integration.api.conftest import Owner, World
from tests.support.story import Story


def held(story: Story) -> Story:
    story.created().requested(1).started(1).page(1, "a", "b", "c").seen(1).succeeded(1)
    return story.requested(2).started(2).proposed(2, "b", "a").held(2, 2).seen(2, held=2).succeeded(2)


async def test_what_is_held_is_shown_with_its_reason(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(held(story))
    library = (await api.get(f"/api/v1/libraries/{story.library_id}", headers=fresh)).json()
    assert library["heldRemovals"] == {
        "scanId": str(story.run(2)),
        "count": 2,
        "reason": "empty_root",
        "message": "The library's folder is empty.",
        "heldAt": "2026-03-03T12:01:00Z",
    }
    assert library["guard"] == {"maxRemovedPercent": 10, "maxRemoved": 100, "minAlways": 3}
    [listed] = (await api.get("/api/v1/libraries")).json()["data"]
    assert listed == library
    page = (await api.get(f"/api/v1/libraries/{story.library_id}/removals?pageSize=1")).json()
    assert ([each["path"] for each in page["data"]], page["totalCount"]) == (["a"], 2)
    assert (await api.get(f"/api/v1/scans/{story.run(2)}")).json()["removals"] == "held"
    assert (await api.get("/api/v1/collections?state=missing")).json()["totalCount"] == 0


async def test_a_decision_is_the_scanners_to_take(
    api: httpx.AsyncClient, world: World, story: Story, scanner_owner: Owner
) -> None:
    await world.tell(held(story))
    story.marked_missing(2, "a", "b").decided(2, approved=True)
    position = f"scanner:{story.scanner.position}"
    await world.tell(story)
    scanner_owner.reply = lambda command, body: Answer(status=200, id=story.run(2), position=position)
    where = f"/api/v1/libraries/{story.library_id}/removals"
    answer = await api.post(f"{where}/{story.run(2)}/approve", headers={"Idempotency-Key": "once"})
    assert (answer.status_code, answer.json()["heldRemovals"]) == (200, None)
    assert scanner_owner.commands == [
        (
            "ApproveRemovals",
            {"type": "ApproveRemovals", "libraryId": str(story.library_id), "scanId": str(story.run(2))},
        )
    ]
    assert (scanner_owner.keys, scanner_owner.actors) == (["once"], [("anonymous@loopback", "default")])
    missing = (await api.get("/api/v1/collections?state=missing")).json()["data"]
    assert [(each["path"], each["missingSince"]) for each in missing] == [
        ("a", "2026-03-03T12:01:00Z"),
        ("b", "2026-03-03T12:01:00Z"),
    ]
    statistics = (await api.get(f"/api/v1/libraries/{story.library_id}/statistics")).json()
    assert (statistics["collections"], statistics["missingCollections"], statistics["heldRemovals"]) == (1, 2, 0)
    assert (await api.get(where)).json()["totalCount"] == 0
    assert (await api.get(f"/api/v1/scans/{story.run(2)}")).json()["removals"] == "applied"
    await api.post(f"{where}/{story.run(2)}/reject")
    assert [command for command, _ in scanner_owner.commands] == ["ApproveRemovals", "RejectRemovals"]


async def test_what_the_scanner_refuses_is_refused(
    api: httpx.AsyncClient, world: World, story: Story, scanner_owner: Owner
) -> None:
    await world.tell(held(story))
    scanner_owner.reply = lambda command, body: Answer(status=409, code="scan-already-open", detail="Wait.")
    url = f"/api/v1/libraries/{story.library_id}/removals/{story.run(2)}/reject"
    answer = await api.post(url)
    assert (answer.status_code, answer.json()["code"]) == (409, "scan-already-open")


async def test_replaced_settled_and_rejected_holds_wait_for_nobody(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    held(story).requested(3).started(3).proposed(3, "a").held(3, 1, replaces=2).seen(3, held=1).succeeded(3)
    fresh = await world.tell(story)
    url = f"/api/v1/libraries/{story.library_id}"
    waiting = (await api.get(url, headers=fresh)).json()["heldRemovals"]
    assert (waiting["scanId"], waiting["count"]) == (str(story.run(3)), 1)
    assert (await api.get(f"{url}/removals")).json()["totalCount"] == 1
    assert (await api.get(f"/api/v1/scans/{story.run(2)}")).json()["removals"] == "none"
    fresh = await world.tell(story.decided(3, approved=False).settled(4, held_by=3))
    assert (await api.get(url, headers=fresh)).json()["heldRemovals"] is None
    assert (await api.get(f"/api/v1/scans/{story.run(3)}")).json()["removals"] == "rejected"


async def test_an_image_that_is_missing_is_listed_and_says_since_when(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    story.created().requested(1).started(1).page(1, "a", images=2)
    fresh = await world.tell(story.marked_missing(1, files=story.gone("a", 0)))
    url = f"/api/v1/collections/{story.collection('a')}"
    files = (await api.get(f"{url}/files", headers=fresh)).json()["data"]
    assert [(file["name"], file["missingSince"]) for file in files] == [
        ("0.jpg", "2026-03-02T12:01:00Z"),
        ("1.jpg", None),
    ]
    assert (await api.get(url)).json()["imageCount"] == 1
