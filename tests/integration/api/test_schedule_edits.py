"""Schedules told over HTTP: each answer shows the effect, under either name of the resource."""

from uuid import uuid4

import httpx
import pytest

pytestmark = pytest.mark.usefixtures("owners")

BOTH = pytest.mark.parametrize("name", ["scheduledjobs", "schedules"])


@pytest.fixture
async def library(api: httpx.AsyncClient) -> str:
    answer = await api.post("/api/v1/libraries", json={"name": "Pictures", "path": "/data/pictures"})
    return str(answer.json()["id"])


@BOTH
async def test_a_further_schedule_from_its_making_to_its_end(api: httpx.AsyncClient, library: str, name: str) -> None:
    all_of_it = f"/api/v1/{name}"
    made = await api.post(
        all_of_it,
        json={
            "parameters": {"LibraryId": library},
            "name": "Deep on Sundays",
            "jobType": "LibraryScan",
            "scheduleType": "Cron",
            "cronExpression": "0 0  * * 0",
            "timeZone": "Europe/Berlin",
            "scanMode": "Full",
            "priority": 9,
            "timeoutMinutes": 1.5,
            "maxRetryAttempts": 0,
        },
    )
    schedule = made.json()
    assert made.status_code == 201, schedule
    assert made.headers["location"] == f"/api/v1/scheduledjobs/{schedule['id']}"
    expected = {
        "name": "Deep on Sundays",
        "cronExpression": "0 0 * * 0",
        "timeZone": "Europe/Berlin",
        "parameters": {"LibraryId": library},
        "isEnabled": True,
        "priority": 9,
        "timeoutMinutes": 1.5,
        "maxRetryAttempts": 0,
        "scanMode": "deep",
        "version": 1,
    }
    assert {field: schedule[field] for field in expected} == expected
    one = f"{all_of_it}/{schedule['id']}"

    changed = await api.patch(one, json={"name": "Deep", "priority": 1.0})
    assert (changed.json()["name"], changed.json()["priority"]) == ("Deep", 1)
    put = await api.put(one, json={"isEnabled": False})
    assert (put.status_code, put.json()["isEnabled"], put.json()["name"]) == (200, False, "Deep")
    assert (await api.post(f"{one}/enable")).json()["isEnabled"] is True
    disabled = await api.post(f"{one}/disable")
    assert (disabled.json()["isEnabled"], disabled.json()["nextRunAt"]) == (False, None)
    assert disabled.headers["linstock-position"].startswith("scheduler:")

    assert (await api.delete(one)).status_code == 204
    assert (await api.get(one)).status_code == 404
    assert (await api.get(f"{one}/runs")).json()["totalCount"] == 0


@BOTH
async def test_run_now_and_stop_it(api: httpx.AsyncClient, library: str, name: str) -> None:
    made = await api.post(f"/api/v1/{name}", json={"libraryId": library, "isEnabled": False})
    one = f"/api/v1/{name}/{made.json()['id']}"
    asked = await api.post(f"{one}/trigger", json={"triggeredBy": "Manual", "scanMode": "deep"})
    assert asked.status_code == 202, asked.text
    run = asked.json()["id"]
    assert asked.headers["location"] == f"/api/v1/runs/{run}"
    again = await api.post(f"{one}/trigger")
    assert (again.status_code, again.json()["code"]) == (409, "scan-already-open")

    cancelled = await api.post(f"/api/v1/runs/{run}/cancel", json={"reason": "changed my mind"})
    assert (cancelled.status_code, cancelled.json()["id"], cancelled.json()["status"]) == (200, run, "Cancelled")
    assert cancelled.json()["triggeredBy"] == "Manual"
    assert (await api.post(f"/api/v1/runs/{run}/cancel")).status_code == 200
    assert [each["id"] for each in (await api.get(f"{one}/runs")).json()["data"]] == [run]


@BOTH
async def test_a_schedule_that_is_not_there(api: httpx.AsyncClient, name: str) -> None:
    one = f"/api/v1/{name}/{uuid4()}"
    for method, path, body in (
        ("PATCH", one, {"name": "x"}),
        ("PUT", one, {"name": "x"}),
        ("DELETE", one, None),
        ("POST", f"{one}/enable", None),
        ("POST", f"{one}/disable", None),
        ("POST", f"{one}/pause", None),
        ("POST", f"{one}/resume", None),
        ("POST", f"{one}/trigger", None),
    ):
        answer = await api.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "scheduled-job-not-found"), path


RULES = {
    "days": "or",
    "clockChanges": "literal",
    "misfirePolicy": "fire_all",
    "catchupWindowSeconds": 7200,
    "catchupLimit": 5,
    "overlapPolicy": "buffer_all",
    "bufferLimit": 3,
    "jitterSeconds": 30,
    "startsAt": "2026-01-01T00:00:00Z",
    "endsAt": "2999-01-01T00:00:00Z",
    "excluded": [{"first": "2026-12-24T00:00:00Z", "last": "2026-12-26T23:59:59Z"}],
    "maxRuns": 10,
    "pauseAfterFailures": 3,
}


@BOTH
async def test_rules_are_shown_as_they_are_given(api: httpx.AsyncClient, library: str, name: str) -> None:
    made = await api.post(f"/api/v1/{name}", json={"libraryId": library, **RULES, "misfirePolicy": "Strict"})
    assert made.status_code == 201, made.text
    assert {field: made.json()[field] for field in RULES} == RULES
    one = f"/api/v1/{name}/{made.json()['id']}"
    eased: dict[str, object] = {
        "maxRuns": None,
        "endsAt": None,
        "excluded": [],
        "misfirePolicy": "Ignorable",
        "catchupLimit": 7.0,
    }
    changed = await api.patch(one, json={**eased, "startsAt": "2999-03-01T01:00:00+01:00"})
    expected = {**RULES, **eased, "misfirePolicy": "skip", "startsAt": "2999-03-01T00:00:00Z"}
    assert {field: changed.json()[field] for field in RULES} == expected
    assert changed.json()["nextRunAt"].startswith("2999-03-01")


@BOTH
async def test_an_interval_is_an_expression(api: httpx.AsyncClient, library: str, name: str) -> None:
    body = {"libraryId": library, "scheduleType": "Interval", "intervalMinutes": 90}
    made = (await api.post(f"/api/v1/{name}", json=body)).json()
    shown = ("scheduleType", "intervalMinutes", "cronExpression")
    assert [made[field] for field in shown] == ["Interval", 90, "@every 90m"]
    one = f"/api/v1/{name}/{made['id']}"
    changed = (await api.patch(one, json={"intervalMinutes": 5})).json()
    assert [changed[field] for field in shown] == ["Interval", 5, "@every 5m"]
    cron = (await api.put(one, json={"scheduleType": "Cron", "cronExpression": "@every 90s"})).json()
    assert [cron[field] for field in shown] == ["Cron", None, "@every 90s"]


@BOTH
async def test_a_pause_has_an_actor_a_reason_and_an_end(api: httpx.AsyncClient, library: str, name: str) -> None:
    made = await api.post(f"/api/v1/{name}", json={"libraryId": library})
    one = f"/api/v1/{name}/{made.json()['id']}"
    paused = await api.post(f"{one}/pause", json={"reason": "disk swap"})
    assert paused.status_code == 200, paused.text
    shown = ("isEnabled", "isPaused", "pauseReason", "pausedBy", "resumeAt", "nextRunAt")
    actor = made.json()["createdBy"]
    assert [paused.json()[field] for field in shown] == [True, True, "disk swap", actor, None, None]
    until = await api.post(f"{one}/pause", json={"resumeAt": "2999-01-01T03:00:00+01:00"})
    assert [until.json()[field] for field in shown][1:] == [
        True, "", actor, "2999-01-01T02:00:00Z", "2999-01-02T02:00:00Z",
    ]  # fmt: skip
    resumed = await api.post(f"{one}/resume")
    assert [resumed.json()[field] for field in shown][:5] == [True, False, None, None, None]
    assert resumed.json()["version"] == 4
    await api.post(f"{one}/pause")
    assert (await api.post(f"{one}/disable")).json()["isPaused"] is False
    for verb in ("pause", "resume"):
        answer = await api.post(f"{one}/{verb}")
        assert (answer.status_code, answer.json()["code"]) == (409, "schedule-disabled")


@BOTH
async def test_rules_that_make_no_sense_are_refused_where_they_stand(
    api: httpx.AsyncClient, library: str, name: str
) -> None:
    made = await api.post(f"/api/v1/{name}", json={"libraryId": library})
    one = f"/api/v1/{name}/{made.json()['id']}"
    for body, pointer, said in (
        ({"overlapPolicy": "allow_all"}, "overlapPolicy", "would take its catalogue from each other"),
        ({"overlapPolicy": "never"}, "overlapPolicy", "it is skip, buffer_one"),
        ({"startsAt": "2026-02-01T00:00:00Z", "endsAt": "2026-01-01T00:00:00Z"}, "endsAt", "before startsAt"),
        ({"excluded": [{"first": "2026-02-01T00:00:00Z", "last": "2026-01-01T00:00:00Z"}]}, "excluded/0/last", "first"),
    ):
        answer = await api.patch(one, json=body)
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["pointer"]) == (422, f"#/{pointer}"), answer.text
        assert said in error["detail"]
    past = await api.post(f"{one}/pause", json={"resumeAt": "2026-01-01T00:00:00Z"})
    assert (past.status_code, past.json()["errors"][0]["pointer"]) == (422, "#/resumeAt")


async def test_no_run_to_cancel(api: httpx.AsyncClient) -> None:
    answer = await api.post(f"/api/v1/runs/{uuid4()}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (404, "run-not-found")
