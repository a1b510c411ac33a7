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
        ("POST", f"{one}/trigger", None),
    ):
        answer = await api.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "scheduled-job-not-found"), path


async def test_no_run_to_cancel(api: httpx.AsyncClient) -> None:
    answer = await api.post(f"/api/v1/runs/{uuid4()}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (404, "run-not-found")
