"""Pausing and resuming many schedules at once, over HTTP, with the services that own them."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

pytestmark = pytest.mark.usefixtures("owners")

BOTH = pytest.mark.parametrize("name", ["scheduledjobs", "schedules"])


async def library(api: httpx.AsyncClient, name: str) -> str:
    answer = await api.post("/api/v1/libraries", json={"name": name, "path": f"/data/{name}", "autoScan": True})
    library_id = str(answer.json()["id"])
    await api.get(f"/api/v1/schedules/library/{library_id}")
    return library_id


@pytest.fixture
async def holidays(api: httpx.AsyncClient) -> str:
    """Its own schedule, and two more, of which one is disabled."""
    library_id = await library(api, "Holidays")
    for name, on in (("Deep", True), ("Asleep", False)):
        made = await api.post("/api/v1/schedules", json={"libraryId": library_id, "name": name, "isEnabled": on})
        assert made.status_code == 201, made.text
    return library_id


async def told(api: httpx.AsyncClient, path: str, **body: Any) -> tuple[int, int, list[str]]:
    answer = await api.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 200, answer.text
    many = answer.json()
    assert many["dryRun"] == body.get("dryRun", False)
    return many["matched"], many["changed"], many["names"]


async def paused(api: httpx.AsyncClient) -> dict[str, str]:
    rows = (await api.get("/api/v1/schedules")).json()["data"]
    return {row["name"]: row["pauseReason"] for row in rows if row["isPaused"]}


@BOTH
async def test_all_that_are_meant_or_none(api: httpx.AsyncClient, holidays: str, name: str) -> None:
    await library(api, "Work")
    own = "Library Scan - Holidays"
    dry = await told(api, f"{name}/pause", libraryId=holidays, reason="disk swap", dryRun=True)
    assert dry == (3, 2, ["Deep", own])
    assert await paused(api) == {}
    assert await told(api, f"{name}/pause", libraryId=holidays, reason="disk swap") == dry
    assert await paused(api) == {"Deep": "disk swap", own: "disk swap"}
    assert await told(api, f"{name}/pause", all=True, resumeAt="2099-01-01T00:00:00Z") == (
        4, 1, ["Library Scan - Work"],
    )  # fmt: skip
    assert await told(api, f"{name}/pause", all=True, reason="for good") == (4, 1, ["Library Scan - Work"])
    assert await told(api, f"{name}/resume", text="dEEp") == (1, 1, ["Deep"])
    assert await told(api, f"{name}/resume", text="holidays", libraryId=holidays) == (3, 1, [own])
    assert await told(api, f"{name}/resume", all=True) == (4, 1, ["Library Scan - Work"])
    assert await paused(api) == {}


async def test_some_by_their_ids(api: httpx.AsyncClient, holidays: str) -> None:
    rows = (await api.get("/api/v1/schedules", params={"libraryId": holidays})).json()["data"]
    ids = [row["id"] for row in rows if row["name"] != "Deep"]
    asked = await told(api, "schedules/pause", ids=[*ids, *ids, str(uuid4())])
    assert asked == (2, 1, ["Library Scan - Holidays"])
    assert await told(api, "schedules/resume", ids=[]) == (0, 0, [])


@pytest.mark.parametrize("body", [{}, {"all": True, "text": "x"}, {"text": ""}, {"all": False}])
async def test_which_are_meant_is_said(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    for path in ("pause", "resume"):
        assert (await api.post(f"/api/v1/schedules/{path}", json=body)).status_code == 422


async def test_a_retry_under_its_key_is_the_same_command(api: httpx.AsyncClient, holidays: str) -> None:
    asked = {"libraryId": holidays}
    key = {"Idempotency-Key": "once"}
    first = await api.post("/api/v1/schedules/pause", json=asked, headers=key)
    assert await told(api, "schedules/resume", all=True) == (3, 2, ["Deep", "Library Scan - Holidays"])
    again = await api.post("/api/v1/schedules/pause", json=asked, headers=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert await paused(api) == {}
    past = await api.post("/api/v1/schedules/pause", json=asked | {"resumeAt": "2001-01-01T00:00:00Z"})
    assert (past.status_code, past.json()["errors"][0]["pointer"]) == (422, "#/resumeAt")
