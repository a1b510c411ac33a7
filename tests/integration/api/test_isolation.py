"""Two workspaces see nothing of each other, on any route that reads: the other's ids are as good as ids of nobody."""

import re
from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from nats.aio.client import Client

from linstock import names
from linstock.messages.answer import Answer
from linstock.messages.calendar import CalendarDefined
from services.api.policy import PUBLIC
from tests.integration.api.access import Desk, Route, opened, routes
from tests.integration.api.conftest import World
from tests.support.recorded import NOON
from tests.support.story import Story

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TRACE = re.compile(r'"traceId":"[0-9a-f]+"')
_NEXT = re.compile(r'"next":"[^"]*"')


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with opened(database_url) as desk:
        yield desk


@pytest.fixture
def theirs() -> Story:
    """Everything that can be read of a library, and a calendar, in workspace team-b."""
    story = Story(workspace="team-b")
    story.created().scanned(1, "2024", "2024/b.zip").hashed(1, **{"2024": "xx"}).requested(2).started(2)
    name = str(story.id("calendar"))
    calendar_id = names.calendar_of("team-b", name)
    days = (date(2026, 12, 25),)
    calendar = CalendarDefined(calendar_id=calendar_id, name=name, description="", days=days, at=NOON)
    story.scheduler.says(calendar_id, calendar)
    story.retimed(2, "0 4 * * *", after=NOON)
    story.asked_for("mail")
    return story.handled(story.library, story.id("asked"), "ChangeLibrary", Answer(status=200, id=story.library_id))


def id_in(story: Story, parameter: str) -> UUID | int:
    known: dict[str, UUID | int] = {
        "name": story.id("calendar"),
        "library_id": story.library_id,
        "schedule_id": story.schedule_id,
        "scan_id": story.run(1),
        "run_id": story.run(1),
        "job_id": story.job("mail"),
        "collection_id": story.collection("2024"),
        "command_id": story.id("asked"),
        "number": 2,  # a version
        "event_id": story.library.deliveries[0].recorded.event_id,
    }
    assert parameter in known, f"Say here which id of the story fills {{{parameter}}}"
    return known[parameter]


READING = sorted(
    (route for route in routes() if route.method == "GET" and route.needed != PUBLIC), key=lambda route: route.path
)


async def seen(api: httpx.AsyncClient, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """Status and body, without ids and traces; how far the logs have got is in every answer, and no secret."""
    async with api.stream("GET", path, headers=headers) as answer:
        if answer.headers["content-type"].startswith("text/event-stream"):
            return answer.status_code, ""  # has no end; the feed's own tests read it
        body = (await answer.aread()).decode()
    return answer.status_code, _NEXT.sub("", _TRACE.sub("", _UUID.sub("ID", body)))


def queries(route: Route, of: Story) -> list[str]:
    """Filters by an id, on every list that may take one, and what a comparison needs."""
    if route.name == "diff_scans":
        return [f"?against={of.run(1)}"]
    filters = [f"?libraryId={of.library_id}", f"?scheduledJobId={of.schedule_id}"]
    return ["", *filters] if "{" not in route.path else [""]


@pytest.mark.parametrize("route", READING, ids=lambda route: route.path)
async def test_the_others_ids_are_as_good_as_nobodys(
    api: httpx.AsyncClient, world: World, desk: Desk, theirs: Story, route: Route
) -> None:
    ours, others = await desk.header(workspace="team-a"), await desk.header(workspace="team-b")
    nobody = Story(workspace="team-c", seed=uuid4())
    nobody.created()
    before = [await seen(api, route.at() + query, ours) for query in queries(route, nobody)]
    fresh = await world.tell(theirs)
    path = route.at(lambda parameter: id_in(theirs, parameter))
    after = [await seen(api, path + query, {**ours, **fresh}) for query in queries(route, theirs)]
    assert after == before
    status, shown = await seen(api, path + queries(route, theirs)[0], {**others, **fresh})
    assert status == 200 or "cover-not-made-yet" in shown  # or this would prove nothing
    assert route.name in ("whoami", "list_workers") or shown == "" or (status, shown) != after[0]


async def test_a_command_that_waits_is_an_operation_of_its_own_workspace(
    api: httpx.AsyncClient, client: Client, desk: Desk
) -> None:
    ours, others = await desk.header(workspace="team-a"), await desk.header(workspace="team-b")
    body: dict[str, Any] = {"name": "A", "path": "/nas/a"}
    answer = await api.post("/api/v1/libraries", json=body, headers=ours)
    assert answer.status_code == 202
    where = answer.headers["location"]
    assert (await api.get(where, headers=ours)).json()["status"] == "pending"
    assert (await api.get(where, headers=others)).status_code == 404


async def test_a_key_is_its_callers_own(api: httpx.AsyncClient, desk: Desk) -> None:
    """The same key of two tokens, or in two workspaces, is two commands."""
    body, key = {"name": "A", "path": "/nas/a"}, {"Idempotency-Key": "once"}
    headers = [await desk.header(workspace=workspace) for workspace in ("team-a", "team-a", "team-b")]
    answers = [await api.post("/api/v1/libraries", json=body, headers={**header, **key}) for header in headers]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 3
