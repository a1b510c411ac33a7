"""Covers and what is in quarantine, over HTTP."""

from uuid import UUID

import httpx
import msgspec
import pytest
from nats.aio.client import Client

from linstock import names
from linstock.bus.thumbnails import Thumbnails
from linstock.messages.enrichment import THUMBNAIL_SIZES, WantedThumbnails
from tests.integration.api.conftest import World
from tests.support.listed import listed
from tests.support.story import Story

HASH = "0" * 64
MADE = {size: b"RIFF of %d pixels" % size for size in THUMBNAIL_SIZES}


@pytest.fixture
async def thumbnails(client: Client) -> Thumbnails:
    return Thumbnails(client)


def path_of(story: Story, name: str = "a") -> str:
    return f"/api/v1/collections/{story.collection(name)}/cover"


async def test_a_cover_in_three_sizes(
    api: httpx.AsyncClient, world: World, story: Story, thumbnails: Thumbnails
) -> None:
    await thumbnails.put(HASH, MADE)
    fresh = await world.tell(story.created().scanned(1, "a").enriched(1, "a"))
    collection = (await api.get(path_of(story).removesuffix("/cover"), headers=fresh)).json()
    assert collection["cover"] == {
        "url": f"{path_of(story)}?hash={HASH}", "width": 800, "height": 600, "hash": HASH,
    }  # fmt: skip
    for size in THUMBNAIL_SIZES:
        answer = await api.get(f"{collection['cover']['url']}&size={size}")
        assert (answer.status_code, answer.content) == (200, MADE[size])
        assert answer.headers["content-type"] == "image/webp"
        assert answer.headers["etag"] == f'"{HASH}-{size}"'
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert (await api.get(path_of(story))).content == MADE[320]


async def test_who_has_it_already_is_told_so(
    api: httpx.AsyncClient, world: World, story: Story, thumbnails: Thumbnails
) -> None:
    await thumbnails.put(HASH, MADE)
    fresh = await world.tell(story.created().scanned(1, "a").enriched(1, "a"))
    first = await api.get(path_of(story), headers=fresh)
    assert first.headers["cache-control"] == "private, no-cache"
    again = await api.get(path_of(story), headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await api.get(path_of(story), params={"size": 640}, headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


async def test_why_there_is_none(api: httpx.AsyncClient, world: World, story: Story) -> None:
    story.created().scanned(1, "unread", "bad").enriched(1, "bad", cover=None)
    fresh = await world.tell(story)
    unread = await api.get(path_of(story, "unread"), headers=fresh)
    assert (unread.status_code, unread.json()["code"]) == (404, "cover-not-made-yet")
    assert unread.headers["retry-after"] == "5"
    bad = await api.get(path_of(story, "bad"))
    assert (bad.status_code, bad.json()["code"]) == (404, "no-valid-image")
    for name in ("unread", "bad"):
        assert (await api.get(path_of(story, name).removesuffix("/cover"))).json()["cover"] is None


async def test_lost_thumbnails_are_asked_for(
    api: httpx.AsyncClient, world: World, story: Story, client: Client
) -> None:
    heard = await client.subscribe(names.ALL_WANTED_THUMBNAILS)
    fresh = await world.tell(story.created().scanned(1, "a").enriched(1, "a"))
    for lose in (client.jetstream().purge_stream, client.jetstream().delete_stream):
        await lose(names.THUMBS_STREAM)
        answer = await api.get(path_of(story), headers=fresh)
        assert (answer.status_code, answer.json()["code"]) == (404, "cover-not-made-yet")
        assert "retry-after" in answer.headers
        message = await heard.next_msg(timeout=5)
        wanted = msgspec.json.decode(message.data, type=WantedThumbnails)
        assert wanted == WantedThumbnails(collection_id=story.collection("a"), hash=HASH)


async def test_nobody_sees_the_cover_of_a_deleted_library(
    api: httpx.AsyncClient, world: World, story: Story, thumbnails: Thumbnails
) -> None:
    await thumbnails.put(HASH, MADE)
    fresh = await world.tell(story.created().scanned(1, "a").enriched(1, "a").deleted())
    assert (await api.get(path_of(story), headers=fresh)).json()["code"] == "collection-not-found"


async def test_files_have_their_sizes(api: httpx.AsyncClient, world: World, story: Story) -> None:
    story.created().requested(1).started(1).page(1, "a", images=3).enriched(1, "a").quarantined(1, "a", 1)
    fresh = await world.tell(story)
    files = (await api.get(path_of(story).replace("cover", "files"), headers=fresh)).json()["data"]
    assert [(file["name"], file["width"], file["height"], file["valid"]) for file in files] == [
        ("0.jpg", 800, 600, True),
        ("1.jpg", None, None, False),
        ("2.jpg", None, None, None),
    ]


async def test_quarantine_is_listed_and_counted(api: httpx.AsyncClient, world: World, story: Story) -> None:
    story.created().requested(1).started(1).page(1, "a", "b.zip", images=3).enriched(1, "a")
    fresh = await world.tell(story.quarantined(1, "a", 1).quarantined(2, "b.zip", 0, 2))
    path = f"/api/v1/libraries/{story.library_id}"
    page = (await api.get(f"{path}/quarantine", params={"pageSize": 2}, headers=fresh)).json()
    assert [(file["path"], file["code"]) for file in page["data"]] == [
        ("b.zip/0.jpg", "corrupt"),
        ("b.zip/2.jpg", "corrupt"),
    ]
    assert (page["totalCount"], page["totalPages"]) == (3, 2)
    [last] = (await api.get(f"{path}/quarantine", params={"pageSize": 2, "page": 2})).json()["data"]
    assert (last["path"], last["bytes"], last["message"]) == ("a/1.jpg", 1000, "image file is truncated")
    assert UUID(last["collectionId"]) == story.collection("a")
    statistics = (await api.get(f"{path}/statistics")).json()
    counts = [statistics[name] for name in ("readCollections", "covers", "quarantinedFiles")]
    assert counts == [1, 1, 3]


async def test_what_follows_scans_is_listed_when_it_is_asked_for(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    fresh = await world.tell(story.created().scanned(1, "a").enriching(1).scanned(2, "b").enriching(2))
    await api.get("/api/v1/libraries", headers=fresh)
    mine = {"libraryId": str(story.library_id)}
    for scope in ({}, mine):
        assert await listed(api, "runs", "jobType", **scope) == (["LibraryScan"] * 2, 2)
        assert await listed(api, "runs", "jobType", jobType="Enrich", **scope) == (["Enrich"] * 2, 2)
        assert await listed(api, "runs", "libraryId", jobType="Enrich", pageSize=1, page=2, **scope) == (
            [str(story.library_id)],
            2,
        )
    path = f"libraries/{story.library_id}/scans"
    assert await listed(api, path, "id") == ([str(story.run(2)), str(story.run(1))], 2)
    [run] = (await api.get("/api/v1/runs", params={"jobType": "Enrich", "pageSize": 1})).json()["data"]
    assert run["result"] == {"collections": 1}
    assert (await api.get(f"/api/v1/runs/{run['id']}")).json() == run
    assert (await api.get(f"/api/v1/scans/{run['id']}")).status_code == 404
    for statistics in (f"/api/v1/libraries/{story.library_id}/statistics", "/api/v1/statistics"):
        assert (await api.get(statistics)).json()["runs"] == 2
