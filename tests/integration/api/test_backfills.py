"""Making up for a past range over HTTP, on real services: asked twice it happens once, and the ledger shows it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.usefixtures("owners")

BOTH = pytest.mark.parametrize("name", ["scheduledjobs", "schedules"])


@pytest.fixture
async def schedule(api: httpx.AsyncClient) -> str:
    """Of each hour, disabled and made just now: what is past has no verdict."""
    library = await api.post("/api/v1/libraries", json={"name": "Pictures", "path": "/data/pictures"})
    body = {"libraryId": library.json()["id"], "cronExpression": "0 * * * *", "isEnabled": False, "scanMode": "deep"}
    made = await api.post("/api/v1/schedules", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def hours(count: int) -> tuple[dict[str, str], list[str]]:
    """A span that ends some hours ago, and its instants."""
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
    instants = [first + timedelta(hours=number) for number in range(count)]
    text = [f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in instants]
    return {"from": text[0], "to": text[-1]}, text


async def ok(api: httpx.AsyncClient, path: str, body: Any = None, headers: Any = None) -> Any:
    answer = await (api.get(path, headers=headers) if body is None else api.post(path, json=body, headers=headers))
    assert answer.status_code == 200, answer.text
    return answer.json()


@BOTH
async def test_shown_then_done_then_nothing_left(api: httpx.AsyncClient, schedule: str, name: str) -> None:
    one = f"/api/v1/{name}/{schedule}"
    before = await ok(api, one)
    span, instants = hours(3)
    shown = await ok(api, f"{one}/backfill", {**span, "dryRun": True})
    assert (shown["dryRun"], shown["fires"], shown["firedAlready"], shown["undecided"]) == (True, 3, 0, 0)
    assert [each["instant"] for each in shown["data"]] == instants
    assert (await ok(api, f"{one}/runs"))["totalCount"] == 0

    done = await api.post(f"{one}/backfill", json=span)
    assert (done.status_code, done.json()) == (200, {**shown, "dryRun": False})
    position = {"Linstock-Position": done.headers["linstock-position"]}
    runs = (await ok(api, f"/api/v1/runs?triggeredBy=Backfill&scheduledJobId={schedule}", headers=position))["data"]
    assert {run["id"] for run in runs} == {each["runId"] for each in shown["data"]}
    assert {(run["status"], run["triggeredBy"], run["scanMode"]) for run in runs} == {("Pending", "Backfill", "deep")}

    again = await ok(api, f"{one}/backfill", span)
    assert (again["fires"], again["firedAlready"]) == (0, 3)
    assert [each["runId"] for each in again["data"]] == [each["runId"] for each in shown["data"]]
    after = await ok(api, one)
    assert (after["isEnabled"], after["version"], after["runCount"]) == (False, before["version"], 3)


async def test_the_same_request_again_gets_its_answer_again(api: httpx.AsyncClient, schedule: str) -> None:
    span, _ = hours(2)
    path, key = f"/api/v1/schedules/{schedule}/backfill", {"Idempotency-Key": "once"}
    first = await ok(api, path, span, key)
    assert await ok(api, path, span, key) == first
    assert first["fires"] == 2


async def test_the_ledger_shows_who_asked_also_where_there_is_no_verdict(api: httpx.AsyncClient, schedule: str) -> None:
    span, instants = hours(3)
    one = f"/api/v1/schedules/{schedule}"
    done = await api.post(f"{one}/backfill", json=span)
    position = {"Linstock-Position": done.headers["linstock-position"]}
    page = await ok(api, f"{one}/ticks", headers=position)
    assert (page["totalCount"], [each["instant"] for each in page["backfilled"]]) == (0, instants[::-1])
    made_up = page["backfilled"][-1]
    assert (made_up["by"], made_up["runStatus"], made_up["version"]) == ("anonymous@loopback", "Pending", 1)
    about = (await ok(api, f"{one}/ticks?at={instants[0]}"))["at"]
    assert (about["verdict"], about["backfilled"]) == ("backfilled", made_up)
    assert about["explanation"].endswith(f"(run {made_up['runId']}).")
    span_of_one = f"from={instants[1]}&to={instants[2]}"
    assert len((await ok(api, f"{one}/ticks?{span_of_one}&verdict=backfilled"))["backfilled"]) == 1
    assert (await ok(api, f"{one}/ticks?verdict=skipped"))["backfilled"] == []


async def test_what_is_refused(api: httpx.AsyncClient, schedule: str) -> None:
    path = f"/api/v1/schedules/{schedule}/backfill"
    span, _ = hours(3)
    cases = [
        ({**span, "to": "2999-01-01T00:00:00Z"}, "#/to", "it is not past yet"),
        ({**span, "limit": 2}, "#/from", "There are 3 instants in that time; at most 2 are made up for at once."),
        ({"from": span["to"], "to": span["from"]}, "#/from", "it is later than to"),
    ]
    for body, pointer, detail in cases:
        answer = await api.post(path, json=body)
        assert answer.status_code == 422, answer.text
        assert [(each["pointer"], each["detail"]) for each in answer.json()["errors"]] == [(pointer, detail)]
