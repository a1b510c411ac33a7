"""Change sets over HTTP: of one scan, of a dry run, and between two scans."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from linstock.messages.answer import Answer
from linstock.messages.schedule import ScanPath
from tests.integration.api.conftest import Owner, World
from tests.support.story import Story


async def told(api: httpx.AsyncClient, path: str, headers: dict[str, str]) -> list[tuple[str, str, int, int]]:
    answer = await api.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return [(each["kind"], each["path"], each["imagesBefore"], each["images"]) for each in answer.json()["data"]]


async def test_what_a_scan_changed_page_by_page(api: httpx.AsyncClient, world: World, story: Story) -> None:
    story.created().scanned(1, "a", "b").requested(2).started(2).page(2, "b", images=3).page(2, "c.zip", "лето")
    fresh = await world.tell(story.seen(2).succeeded(2))
    url = f"/api/v1/scans/{story.run(2)}/changes"
    assert await told(api, url, fresh) == [("changed", "b", 2, 3), ("added", "c.zip", 0, 2), ("added", "лето", 0, 2)]
    assert await told(api, f"{url}?kind=changed", fresh) == [("changed", "b", 2, 3)]
    page = (await api.get(f"{url}?kind=added&pageSize=1&page=2", headers=fresh)).json()
    assert (page["totalCount"], page["totalPages"], [each["path"] for each in page["data"]]) == (2, 2, ["лето"])
    (changed,) = (await api.get(f"{url}?kind=changed", headers=fresh)).json()["data"]
    assert changed == {
        "collectionId": str(story.collection("b")), "kind": "changed", "collectionKind": "folder", "path": "b",
        "imagesBefore": 2, "images": 3, "bytesBefore": 2000, "bytes": 3000, "at": "2026-03-03T12:01:00Z",
    }  # fmt: skip


async def test_a_scan_that_changed_nothing_has_an_empty_list(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    fresh = await world.tell(story.created().requested(1))
    assert await told(api, f"/api/v1/scans/{story.run(1)}/changes", fresh) == []


async def test_a_dry_run_says_so_and_lists_what_its_last_attempt_told(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    scope = (ScanPath(path="2024/Rome"), ScanPath(path="caf\N{REPLACEMENT CHARACTER}", path_bytes=b"caf\xe9"))
    story.created().requested(1, dry_run=True, scope=scope, scan_mode="quick").previewed(1, "a", "b")
    fresh = await world.tell(story.previewed(1, "b", attempt=2).seen(1, attempt=2).succeeded(1, attempt=2))
    scan = (await api.get(f"/api/v1/scans/{story.run(1)}", headers=fresh)).json()
    assert (scan["dryRun"], scan["scanMode"], scan["status"]) == (True, "quick", "Completed")
    assert scan["scope"] == [{"path": "2024/Rome"}, {"path": "caf\N{REPLACEMENT CHARACTER}", "pathBytes": "Y2Fm6Q=="}]
    assert await told(api, f"/api/v1/scans/{story.run(1)}/changes", fresh) == [("added", "b", 0, 2)]
    url = f"/api/v1/libraries/{story.library_id}/collections"
    assert (await api.get(url, headers=fresh)).json()["totalCount"] == 0


async def test_a_scan_of_everything_has_no_scope(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(story.created().requested(1))
    scan = (await api.get(f"/api/v1/scans/{story.run(1)}", headers=fresh)).json()
    assert (scan["scope"], scan["dryRun"]) == (None, False)


async def test_the_difference_of_two_scans_is_what_all_after_the_first_came_to(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    story.created().scanned(1, "a", "b")
    story.requested(2).started(2).page(2, "a", images=5).page(2, "c").seen(2).succeeded(2)
    story.requested(3).started(3).page(3, "a", "c", images=7).seen(3).succeeded(3)
    fresh = await world.tell(story.scanned(4, "d"))

    def url(later: int, earlier: int) -> str:
        return f"/api/v1/scans/{story.run(later)}/diff?against={story.run(earlier)}"

    assert await told(api, url(3, 1), fresh) == [("changed", "a", 2, 7), ("added", "c", 0, 7)]
    assert await told(api, url(1, 3), fresh) == await told(api, url(3, 1), fresh)
    assert await told(api, url(2, 1), fresh) == [("changed", "a", 2, 5), ("added", "c", 0, 2)]
    assert await told(api, url(3, 2), fresh) == [("changed", "a", 5, 7), ("changed", "c", 2, 7)]
    assert await told(api, url(4, 3), fresh) == [("added", "d", 0, 2)]
    assert await told(api, url(1, 1), fresh) == []
    assert await told(api, url(3, 1) + "&kind=added", fresh) == [("added", "c", 0, 7)]
    page = (await api.get(url(4, 1) + "&pageSize=2&page=2", headers=fresh)).json()
    assert (page["totalCount"], [each["path"] for each in page["data"]]) == (3, ["d"])
    beyond = (await api.get(url(4, 1) + "&pageSize=2&page=9", headers=fresh)).json()
    assert (beyond["totalCount"], beyond["data"]) == (3, [])


async def test_what_went_and_came_back_is_no_difference(api: httpx.AsyncClient, world: World, story: Story) -> None:
    story.created().scanned(1, "a", "b")
    story.requested(2).started(2).marked_missing(2, "a", "b").seen(2).succeeded(2)
    fresh = await world.tell(story.requested(3).started(3).restored(3, "a").page(3, "c").seen(3).succeeded(3))
    url = f"/api/v1/scans/{story.run(3)}/diff?against="
    assert await told(api, url + str(story.run(1)), fresh) == [("missing", "b", 2, 0), ("added", "c", 0, 2)]
    assert await told(api, url + str(story.run(2)), fresh) == [("restored", "a", 0, 2), ("added", "c", 0, 2)]
    assert await told(api, f"/api/v1/scans/{story.run(2)}/changes?kind=missing", fresh) == [
        ("missing", "a", 2, 0),
        ("missing", "b", 2, 0),
    ]


async def test_only_scans_of_one_library_that_recorded_something_can_be_compared(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    story.created().scanned(1, "a").requested(2, dry_run=True).previewed(2, "b").seen(2)
    await world.tell(story)
    other = Story(path="/data/other", beside=story).created().scanned(1, "z")
    fresh = await world.tell(other)
    for later, earlier in ((story.run(1), other.run(1)), (story.run(1), story.run(2)), (story.run(2), story.run(1))):
        answer = await api.get(f"/api/v1/scans/{later}/diff?against={earlier}", headers=fresh)
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "against")
    answer = await api.get(f"/api/v1/scans/{story.run(1)}/diff?against={UUID(int=1)}", headers=fresh)
    assert (answer.status_code, answer.json()["code"]) == (404, "scan-not-found")


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ({"scanMode": "quick"}, {"scanMode": "quick"}),
        ({"dryRun": True}, {"dryRun": True}),
        ({"scope": {"path": "2024/Rome/"}}, {"scope": [{"path": "2024/Rome", "pathBytes": None}]}),
        ({"scope": {"path": "caf", "pathBytes": "Y2Fm6Q=="}}, {"scope": [{"path": "caf", "pathBytes": "Y2Fm6Q=="}]}),
    ],
)
async def test_what_a_scan_is_asked_to_look_at_reaches_the_scheduler(
    api: httpx.AsyncClient, world: World, story: Story, scheduler_owner: Owner, body: Any, sent: Any
) -> None:
    fresh = await world.tell(story.created())
    scheduler_owner.reply = lambda command, told: Answer(status=202, id=story.run(1))
    url = f"/api/v1/libraries/{story.library_id}/scans"
    assert (await api.post(url, json=body, headers=fresh)).status_code == 202
    ((_, command),) = scheduler_owner.commands
    assert {field: command[field] for field in sent} == sent
