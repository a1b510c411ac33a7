"""Calendars over HTTP, with the services that own them: from the days to what schedules do, and say, about them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.integration.api.conftest import Owner
from tests.support.waiting import becomes

CALENDARS = "/api/v1/calendars"
HOLIDAYS = f"{CALENDARS}/holidays"
PREVIEW = "/api/v1/schedules/preview"
XMAS = ["2026-12-25", "2026-12-26"]

with_owners = pytest.mark.usefixtures("owners")


@pytest.fixture
async def library(api: httpx.AsyncClient) -> str:
    answer = await api.post("/api/v1/libraries", json={"name": "Pictures", "path": "/data/pictures"})
    return str(answer.json()["id"])


async def put(api: httpx.AsyncClient, *days: str, name: str = "holidays", **headers: str) -> httpx.Response:
    return await api.put(f"{CALENDARS}/{name}", json={"days": list(days), "description": "Public"}, headers=headers)


async def schedule(api: httpx.AsyncClient, library: str, **body: Any) -> Any:
    answer = await api.post("/api/v1/schedules", json={"libraryId": library, **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


@with_owners
async def test_a_calendar_from_its_making_to_its_end(api: httpx.AsyncClient) -> None:
    made = await put(api, *reversed(XMAS), XMAS[0])
    assert made.status_code == 201, made.text
    told = made.json()
    expected = {"name": "holidays", "description": "Public", "days": XMAS, "dayCount": 2, "usedBy": 0, "version": 1}
    assert {field: told[field] for field in expected} == expected
    again = await put(api, *XMAS)
    assert (again.status_code, again.json()["version"]) == (200, 1)
    seen = await api.get(HOLIDAYS)
    assert seen.json() == told
    tag = seen.headers["etag"]
    assert (await api.get(HOLIDAYS, headers={"If-None-Match": tag})).status_code == 304

    changed = await put(api, XMAS[0], **{"If-Match": tag})
    assert (changed.json()["version"], changed.json()["days"]) == (2, XMAS[:1])
    for method in ("PUT", "DELETE"):
        body = {"days": XMAS} if method == "PUT" else None
        stale = await api.request(method, HOLIDAYS, json=body, headers={"If-Match": tag})
        assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")

    await put(api, name="fair")
    listed = (await api.get(CALENDARS)).json()
    assert [(each["name"], each["dayCount"], each["firstDay"]) for each in listed["data"]] == [
        ("fair", 0, None), ("holidays", 1, XMAS[0]),
    ]  # fmt: skip
    assert "days" not in listed["data"][0]
    assert (await api.delete(HOLIDAYS)).status_code == 204
    assert (await api.delete(HOLIDAYS)).status_code == 204
    assert (await api.get(HOLIDAYS)).status_code == 404
    back = await put(api, *XMAS)
    assert (back.status_code, back.json()["version"]) == (201, 4)


@with_owners
async def test_a_retry_under_its_key_is_the_same_command(api: httpx.AsyncClient) -> None:
    first = await put(api, *XMAS, **{"Idempotency-Key": "one"})
    assert first.status_code == 201
    await put(api, XMAS[0])
    again = await put(api, *XMAS, **{"Idempotency-Key": "one"})
    assert (again.status_code, again.json()["version"]) == (201, 2)  # the first answer, and what is there by now
    other = await put(api, XMAS[0], **{"Idempotency-Key": "one"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


@with_owners
@pytest.mark.parametrize(
    ("name", "days", "field"),
    [("Holidays", XMAS, "#/name"), ("holidays", ["1969-12-31"], "#/days/0"), ("holidays", ["2026-02-30"], "#/days/0")],
)
async def test_what_is_wrong_is_named(api: httpx.AsyncClient, name: str, days: list[str], field: str) -> None:
    answer = await put(api, *days, name=name)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, field)


@with_owners
async def test_schedules_take_copies_and_follow(api: httpx.AsyncClient, library: str) -> None:
    unknown = await api.post("/api/v1/schedules", json={"libraryId": library, "calendars": ["holidays"]})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "#/calendars/0")
    await put(api, *XMAS)
    made = await schedule(api, library, calendars=["holidays"], timeZone="Europe/Berlin", cronExpression="0 2 25 12 *")
    one = f"/api/v1/schedules/{made['id']}"
    assert made["calendars"] == ["holidays"]
    assert made["nextRunAt"] == "2027-12-25T01:00:00Z"
    assert (await api.get(HOLIDAYS)).json()["usedBy"] == 1
    refused = await api.delete(HOLIDAYS)
    assert (refused.status_code, refused.json()["code"]) == (409, "calendar-in-use")
    assert refused.json()["detail"].startswith("1 schedule uses it")

    await put(api, XMAS[1])

    async def next_run() -> str:
        return str((await api.get(one)).json()["nextRunAt"])

    await becomes(next_run, "2026-12-25T01:00:00Z")
    versions = (await api.get(f"{one}/versions")).json()["data"]
    assert [(each["version"], each["calendars"]) for each in versions] == [(2, ["holidays"]), (1, ["holidays"])]
    assert (await api.get(one)).json()["version"] == 2

    emptied = await api.patch(one, json={"calendars": []})
    assert (emptied.json()["calendars"], emptied.json()["version"]) == ([], 3)
    assert (await api.delete(HOLIDAYS)).status_code == 204


@with_owners
async def test_the_ledger_names_the_calendar(api: httpx.AsyncClient, library: str) -> None:
    today = datetime.now(UTC).date()
    await put(api, *((today + timedelta(days=offset)).isoformat() for offset in (-1, 0, 1)))
    made = await schedule(api, library, calendars=["holidays"], cronExpression="* * * * * *", timeZone="UTC")
    ticks = f"/api/v1/schedules/{made['id']}/ticks"

    async def undecided() -> bool:
        return any(each["state"] == "undecided" for each in (await api.get(ticks)).json()["upcoming"])

    await becomes(undecided, expected=True)
    [first, *_] = (await api.get(ticks)).json()["upcoming"]
    assert first["explanation"] == "Calendar 'holidays' excludes it."
    await put(api)  # no days: what passed was still decided under those it had

    async def decided() -> int:
        return int((await api.get(ticks, params={"order": "asc"})).json()["totalCount"])

    await becomes(lambda: _more(decided), expected=True)
    entry = (await api.get(ticks, params={"order": "asc"})).json()["data"][0]
    assert (entry["reason"], entry["calendar"], entry["version"]) == ("outside_window", "holidays", 1)
    told = "It did not fire" if entry["count"] == 1 else f"None of these {entry['count']} fired"
    excludes = "it" if entry["count"] == 1 else "them"
    assert entry["explanation"] == f"{told}: calendar 'holidays' excludes {excludes}."
    at = (await api.get(ticks, params={"at": first["instant"]})).json()["at"]
    assert (at["verdict"], at["explanation"]) == ("skipped", entry["explanation"])


async def _more(decided: Any) -> bool:
    return bool(await decided() > 0)


@with_owners
async def test_a_preview_leaves_their_days_out(api: httpx.AsyncClient, library: str) -> None:
    await put(api, *XMAS)
    await put(api, "2026-12-27", name="fair")
    asked = {"cronExpression": "0 2 * * *", "timeZone": "Europe/Berlin", "from": "2026-12-24T12:00:00Z", "count": 1}

    async def first(**more: Any) -> str:
        answer = await api.post(PREVIEW, json=asked | more)
        return str(answer.json()["next"][0]["local"])

    assert await first() == "2026-12-25T02:00:00+01:00"
    assert await first(calendars=["holidays"]) == "2026-12-27T02:00:00+01:00"
    assert await first(calendars=["fair", "holidays"]) == "2026-12-28T02:00:00+01:00"
    made = await schedule(api, library, calendars=["holidays"], timeZone="Europe/Berlin")
    assert await first(scheduledJobId=made["id"]) == "2026-12-27T02:00:00+01:00"
    assert await first(scheduledJobId=made["id"], calendars=[]) == "2026-12-25T02:00:00+01:00"
    unknown = await api.post(PREVIEW, json=asked | {"calendars": ["holidays", "\x00"]})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "#/calendars/1")


async def test_nothing_is_true_to_show_while_the_owner_is_away(api: httpx.AsyncClient, scheduler_owner: Owner) -> None:
    answer = await put(api, *XMAS)
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert [command for command, _ in scheduler_owner.commands] == ["PutCalendar"]
