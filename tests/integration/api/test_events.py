"""The feed, page by page: complete, in order, and resumed exactly where it was left."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from nats.aio.client import Client

from linstock import names
from linstock.messages.library import LibraryCreated, Settings
from services.projection import schema
from tests.integration.api.conftest import World
from tests.support.recorded import NOON, RecordedLog, publish
from tests.support.story import Story

Json = dict[str, Any]
URL = "/api/v1/events"


def expected(story: Story) -> list[UUID]:
    """Each log in its order, the logs merged by time, then by name."""
    told = sorted(story.deliveries(), key=lambda each: (each.recorded.time, each.recorded.log, each.recorded.position))
    return [each.recorded.event_id for each in told]


def ids(page: Json) -> list[UUID]:
    return [UUID(event["id"]) for event in page["data"]]


async def pages(api: httpx.AsyncClient, **parameters: Any) -> list[Json]:
    """Page after page, until there is no more."""
    found: list[Json] = []
    while not found or found[-1]["hasMore"]:
        going_on = {"cursor": found[-1]["next"]} if found else {}
        answer = await api.get(URL, params={**parameters, **going_on})
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
    return found


async def seen(api: httpx.AsyncClient, **parameters: Any) -> list[UUID]:
    return [event_id for page in await pages(api, **parameters) for event_id in ids(page)]


@pytest.fixture
def busy(story: Story) -> Story:
    return story.created().scanned(1, "a", "b").requested(2).started(2).failed(2).paused().resumed()


@pytest.mark.parametrize("limit", [1, 2, 5, 200])
async def test_pages_of_any_size_show_every_event_once_and_in_order(
    api: httpx.AsyncClient, world: World, busy: Story, limit: int
) -> None:
    fresh = await world.tell(busy)
    await api.get(URL, headers=fresh)
    assert await seen(api, limit=limit) == expected(busy)
    assert await seen(api, limit=limit, order="desc") == expected(busy)[::-1]


async def test_after_the_last_page_next_leads_on(api: httpx.AsyncClient, world: World, busy: Story) -> None:
    fresh = await world.tell(busy)
    last = (await api.get(URL, params={"limit": 200}, headers=fresh)).json()
    assert last["hasMore"] is False
    at = {"cursor": last["next"]}
    assert (await api.get(URL, params=at)).json() == {"data": [], "next": last["next"], "hasMore": False}

    fresh = await world.tell(busy.deleted())
    page = (await api.get(URL, params=at, headers=fresh)).json()
    assert [event["type"] for event in page["data"]] == ["linstock.library.deleted.v1", "linstock.schedule.deleted.v1"]


async def test_a_cursor_means_the_same_place_in_both_directions(
    api: httpx.AsyncClient, world: World, busy: Story
) -> None:
    await api.get(URL, headers=await world.tell(busy))
    page = (await api.get(URL, params={"limit": 7})).json()
    assert ids(page) == expected(busy)[:7]
    assert await seen(api, cursor=page["next"]) == expected(busy)[7:]
    assert set(await seen(api, cursor=page["next"], order="desc")) == set(expected(busy)[:7])


async def test_an_event_says_all_that_its_envelope_said(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(story.created())
    recorded = story.library.deliveries[0].recorded
    event = (await api.get(f"{URL}/{recorded.event_id}", headers=fresh)).json()
    assert event == {
        "id": str(recorded.event_id),
        "type": "linstock.library.created.v1",
        "log": "library",
        "position": 2,
        "time": "2026-03-01T12:00:00Z",
        "workspace": "default",
        "actor": "test",
        "aggregate": "library",
        "aggregateId": str(story.library_id),
        "version": 1,
        "libraryId": str(story.library_id),
        "correlationId": str(recorded.correlation_id),
        "causationId": None,
        "data": msgspec.json.decode(recorded.data),
        "dataBytes": None,
    }
    assert (await api.get(URL, params={"limit": 1})).json()["data"] == [event]
    assert (await api.get(f"{URL}/{uuid4()}")).json()["code"] == "event-not-found"


async def test_a_large_body_is_left_out(api: httpx.AsyncClient, world: World, story: Story) -> None:
    settings = Settings(name="x", path="/x", description="x" * 70_000)
    story.library.says(story.library_id, LibraryCreated(library_id=story.library_id, settings=settings))
    [event] = (await api.get(URL, headers=await world.tell(story))).json()["data"]
    assert event["data"] is None
    assert event["dataBytes"] == len(bytes(story.library.deliveries[0].recorded.data))


async def test_filters(api: httpx.AsyncClient, world: World, busy: Story) -> None:
    other = Story(seed=uuid4())
    other.library, other.scheduler, other.scanner = busy.logs()  # a second library in the same logs
    other.created().scanned(1, "c")
    fresh = await world.tell(busy)
    everything = (await api.get(URL, params={"limit": 200}, headers=fresh)).json()["data"]

    async def check(keep: Any, **parameters: Any) -> None:
        wanted = [UUID(event["id"]) for event in everything if keep(event)]
        assert wanted
        assert await seen(api, limit=3, **parameters) == wanted

    completed, started = "linstock.scan.completed.v1", "linstock.job.started.v1"
    await check(lambda event: event["type"] == completed, type=completed)
    await check(lambda event: event["type"].startswith("linstock.scan."), type="linstock.scan.*")
    await check(lambda event: event["libraryId"] == str(other.library_id), libraryId=str(other.library_id))
    await check(
        lambda event: event["libraryId"] == str(busy.library_id) and event["type"] == started,
        libraryId=str(busy.library_id),
        type=started,
    )
    first, last = everything[5]["time"], everything[-5]["time"]
    await check(lambda event: event["time"] >= first, **{"from": first})
    await check(lambda event: event["time"] < last, to=last)
    await check(
        lambda event: first <= event["time"] < last and event["libraryId"] == str(busy.library_id),
        libraryId=str(busy.library_id),
        to=last,
        **{"from": first},
    )
    for nothing in ({"libraryId": str(uuid4())}, {"to": "2000-01-01T00:00:00Z"}, {"from": "2100-01-01T00:00:00+02:00"}):
        assert await seen(api, **nothing) == []


async def test_a_clock_that_was_set_back_changes_no_order_and_hides_nothing(
    api: httpx.AsyncClient, client: Client, story: Story
) -> None:
    log = story.library
    for _ in range(6):
        log.says(uuid4(), LibraryCreated(library_id=uuid4(), settings=story.settings))
    for index, hours in enumerate((0, 5, 6, 1, 2, 7)):
        _move(log, index, hours)
    await publish(client, log.deliveries)
    await api.get(URL, headers={"Linstock-Position": f"library:{log.position}"})
    in_order = [each.recorded.event_id for each in log.deliveries]
    assert await seen(api, limit=2) == in_order
    assert await seen(api, limit=2, order="desc") == in_order[::-1]
    early = {"from": _at(0), "to": _at(3)}
    assert await seen(api, limit=1, **early) == [in_order[0], in_order[3], in_order[4]]


def _move(log: RecordedLog, index: int, hours: int) -> None:
    moved = msgspec.structs.replace(log.deliveries[index].recorded, time=NOON + timedelta(hours=hours))
    log.deliveries[index] = msgspec.structs.replace(log.deliveries[index], recorded=moved)


def _at(hours: int) -> str:
    return (NOON + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({"type": "linstock.library.dreamt.v1"}, 422, "invalid"),
        ({"type": "linstock.*.created.v1"}, 422, "invalid"),
        ({"type": ["linstock.scan.*"] * 2}, 422, "invalid"),
        ({"libraryId": "nobody"}, 422, "invalid"),
        ({"from": "2026-03-01T12:00:00"}, 422, "invalid"),
        ({"to": "0001-01-01T00:00:00+14:00"}, 422, "invalid"),
        ({"from": "yesterday"}, 422, "invalid"),
        ({"limit": "201"}, 422, "invalid"),
        ({"limit": "0"}, 422, "invalid"),
        ({"order": "sideways"}, 422, "invalid"),
        ({"cursor": ""}, 400, "malformed-cursor"),
        ({"cursor": "library:12"}, 400, "malformed-cursor"),
        ({"cursor": "library.0a0b0c0d:12,library.0a0b0c0d:13"}, 400, "malformed-cursor"),
        ({"cursor": "library.0a0b0c0d:9999999999999999999"}, 400, "malformed-cursor"),
        ({"cursor": "x" * 5000}, 400, "malformed-cursor"),
    ],
)
async def test_bad_parameters(api: httpx.AsyncClient, parameters: Json, status: int, code: str) -> None:
    for url in (URL, f"{URL}/stream") if not {"limit", "order"} & parameters.keys() else (URL,):
        answer = await api.get(url, params=parameters)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        if status == 422:
            assert {error["parameter"] for error in answer.json()["errors"]} == set(parameters)


async def test_a_cursor_of_another_epoch_is_answered_with_reset(
    api: httpx.AsyncClient, world: World, busy: Story
) -> None:
    await api.get(URL, headers=await world.tell(busy))
    answer = await api.get(URL, params={"cursor": f"library.{uuid4().hex[:8]}:2"})
    assert (answer.status_code, answer.json()["code"]) == (410, "reset")
    # A log that is not here (yet) says nothing.
    assert (await api.get(URL, params={"cursor": "scanner-nas1.0a0b0c0d:2"})).status_code == 200


async def test_a_cursor_before_what_is_still_kept_is_answered_with_reset(
    api: httpx.AsyncClient, world: World, busy: Story, database_url: str
) -> None:
    await api.get(URL, headers=await world.tell(busy))
    first = (await api.get(URL, params={"limit": 1})).json()["next"]
    views = await schema.connect(database_url)
    await views.execute("INSERT INTO event_floors VALUES ($1, 6)", names.LIBRARY)
    await views.close()
    answer = await api.get(URL, params={"cursor": first})
    assert (answer.status_code, answer.json()["code"]) == (410, "reset")
    assert (await api.get(URL)).status_code == 200
    assert (await api.get(URL, params={"cursor": first, "order": "desc"})).status_code == 200


async def test_another_workspaces_events_do_not_exist_here(api: httpx.AsyncClient, world: World) -> None:
    theirs = Story(workspace="theirs").created().scanned(1, "a")
    page = (await api.get(URL, headers=await world.tell(theirs))).json()
    assert (page["data"], page["hasMore"]) == ([], False)
    event_id = theirs.library.deliveries[0].recorded.event_id
    assert (await api.get(f"{URL}/{event_id}")).status_code == 404
    assert await seen(api, libraryId=str(theirs.library_id)) == []
