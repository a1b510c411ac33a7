"""What changed from version to version, and back to an old one, on real services."""

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.usefixtures("owners")


@pytest.fixture
async def one(api: httpx.AsyncClient) -> str:
    """With three versions: made, retimed and ruled, renamed."""
    library = await api.post("/api/v1/libraries", json={"name": "Pictures", "path": "/data/pictures"})
    made = await api.post(
        "/api/v1/schedules",
        json={
            "libraryId": library.json()["id"], "name": "Nightly", "description": "first", "cronExpression": "0 2 * * *",
            "excluded": [{"first": "2026-12-24T00:00:00Z", "last": "2026-12-26T00:00:00Z"}],
        },
    )  # fmt: skip
    path = f"/api/v1/schedules/{made.json()['id']}"
    await changed(
        api,
        path,
        cronExpression="0 4 * * *",
        timeZone="Europe/Berlin",
        overlapPolicy="buffer_one",
        excluded=[],
        priority=9,
        timeoutMinutes=1.5,
        maxRetryAttempts=0,
        scanMode="deep",
        maxRuns=7,
    )
    await changed(api, path, name="Mornings", description="third")
    return path


async def changed(api: httpx.AsyncClient, path: str, **fields: Any) -> Any:
    answer = await api.patch(path, json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def diff(api: httpx.AsyncClient, one: str, what: str) -> dict[str, tuple[Any, Any]]:
    answer = await api.get(f"{one}/versions/{what}")
    assert answer.status_code == 200, answer.text
    return {each["field"]: (each["from"], each["to"]) for each in answer.json()["changes"]}


async def test_what_a_version_changed(api: httpx.AsyncClient, one: str) -> None:
    assert await diff(api, one, "3/diff") == {"name": ("Nightly", "Mornings"), "description": ("first", "third")}
    second = await diff(api, one, "2/diff")
    assert second == {
        "cronExpression": ("0 2 * * *", "0 4 * * *"),
        "timeZone": ("UTC", "Europe/Berlin"),
        "overlapPolicy": ("skip", "buffer_one"),
        "excluded": ([{"first": "2026-12-24T00:00:00Z", "last": "2026-12-26T00:00:00Z"}], []),
        "priority": (5, 9),
        "timeoutMinutes": (60, 1.5),
        "maxRetryAttempts": (3, 0),
        "scanMode": ("changed", "deep"),
        "maxRuns": (None, 7),
    }
    assert await diff(api, one, "3/diff?against=1") == {**second, "name": ("Nightly", "Mornings"), "description": (
        "first", "third")}  # fmt: skip
    assert await diff(api, one, "1/diff?against=current") == {
        field: (there, here) for field, (here, there) in (await diff(api, one, "3/diff?against=1")).items()
    }
    assert await diff(api, one, "2/diff?against=2") == {}
    for what, missing in (
        ("1/diff", "0"),
        ("4/diff", "4"),
        ("3/diff?against=9", "9"),
        ("99999999999999999999/diff", "9"),
    ):
        answer = await api.get(f"{one}/versions/{what}")
        assert (answer.status_code, answer.json()["code"]) == (404, "version-not-found"), what
        assert missing in answer.json()["detail"]


async def test_an_old_version_comes_back_as_a_new_one(api: httpx.AsyncClient, one: str) -> None:
    before = (await api.get(one)).json()
    stale = await api.post(f"{one}/restore", json={"version": 1}, headers={"If-Match": '"2"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    restored = await api.post(f"{one}/restore", json={"version": 1}, headers={"If-Match": '"3"'})
    assert restored.status_code == 200, restored.text
    back = restored.json()
    assert (back["name"], back["cronExpression"], back["timeZone"], back["version"]) == (
        "Nightly",
        "0 2 * * *",
        "UTC",
        4,
    )
    assert (back["excluded"], back["maxRuns"], back["scanMode"]) == (
        [{"first": "2026-12-24T00:00:00Z", "last": "2026-12-26T00:00:00Z"}], None, "changed",
    )  # fmt: skip
    assert (back["isEnabled"], back["parameters"]) == (before["isEnabled"], before["parameters"])
    versions = (await api.get(f"{one}/versions")).json()["data"]
    assert [(each["version"], each["restored"]) for each in versions] == [(4, 1), (3, None), (2, None), (1, None)]
    assert await diff(api, one, "4/diff?against=1") == {}
    again = await api.post(f"{one}/restore", json={"version": 4})
    assert (again.status_code, again.json()["version"]) == (200, 4)  # it is that already
    assert (await api.get(f"{one}/versions")).json()["totalCount"] == 4
    missing = await api.post(f"{one}/restore", json={"version": 5})
    assert (missing.status_code, missing.json()["code"]) == (404, "version-not-found")
