"""What only the owner of a library or a schedule can tell to be wrong, told like everything else that is wrong."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

pytestmark = pytest.mark.usefixtures("owners")

GOOD = {"name": "Pictures", "path": "/data/pictures"}

OF_LIBRARIES: list[tuple[dict[str, Any], str]] = [
    ({"name": "   "}, "name"),
    ({"name": "bell\x07"}, "name"),
    ({"path": "relative/path"}, "path"),
    ({"path": "/nul\0"}, "path"),
    ({"path": "/" + "ö" * 2048}, "path"),
    ({"cronExpression": "every day"}, "cronExpression"),
    ({"cronExpression": "61 * * * *"}, "cronExpression"),
    ({"timeZone": "Mars/Olympus"}, "timeZone"),
    ({"excludePatterns": ["*.tmp", "!"]}, "excludePatterns/1"),
    ({"extensions": ["jpg", "exe"]}, "extensions"),
]
OF_SCHEDULES: list[tuple[dict[str, Any], str]] = [
    ({"name": " \t"}, "name"),
    ({"description": "\0"}, "description"),
    ({"cronExpression": "every day"}, "cronExpression"),
    ({"timeZone": "Mars/Olympus"}, "timeZone"),
]


def refused(answer: httpx.Response, field: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid"), problem
    assert [error["pointer"] for error in problem["errors"]] == [f"#/{field}"]


async def library_of(api: httpx.AsyncClient) -> str:
    answer = await api.post("/api/v1/libraries", json=GOOD)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


async def test_settings_that_a_library_can_not_have(api: httpx.AsyncClient) -> None:
    library = await library_of(api)
    for fields, field in OF_LIBRARIES:
        refused(await api.post("/api/v1/libraries", json={**GOOD, **fields}), field)
        refused(await api.patch(library, json=fields), field)
    assert (await api.get("/api/v1/libraries")).json()["totalCount"] == 1
    assert (await api.get(library)).json()["version"] == 1


async def test_a_folder_that_another_library_has(api: httpx.AsyncClient) -> None:
    await library_of(api)
    problem = (await api.post("/api/v1/libraries", json=GOOD)).json()
    assert (problem["status"], problem["code"]) == (409, "path-taken")
    assert problem["errors"][0]["pointer"] == "#/path"
    nested = await api.post("/api/v1/libraries", json={"name": "Inner", "path": "/data//pictures/inner/"})
    assert (nested.status_code, nested.json()["path"]) == (201, "/data/pictures/inner")
    [warning] = nested.json()["warnings"]
    assert "/data/pictures" in warning


async def test_what_a_schedule_can_not_be_told(api: httpx.AsyncClient) -> None:
    library = (await library_of(api)).rpartition("/")[2]
    body = {"parameters": {"LibraryId": library}}
    schedule = (await api.post("/api/v1/scheduledjobs", json=body)).headers["location"]
    for fields, field in OF_SCHEDULES:
        if fields != {"name": " \t"}:  # a new one without a name gets one
            refused(await api.post("/api/v1/scheduledjobs", json={**body, **fields}), field)
        refused(await api.put(schedule, json=fields), field)


async def test_no_schedule_of_a_library_that_is_not_there(api: httpx.AsyncClient) -> None:
    refused(await api.post("/api/v1/schedules", json={"libraryId": str(uuid4())}), "libraryId")
    nested = {"parameters": {"LibraryId": str(uuid4())}}
    refused(await api.post("/api/v1/schedules", json=nested), "parameters/LibraryId")
    refused(await api.post("/api/v1/schedules", json={"libraryId": str(uuid4()), **nested}), "parameters/LibraryId")
    refused(await api.post("/api/v1/schedules", json={}), "parameters/LibraryId")


async def test_a_reason_that_can_not_be_shown(api: httpx.AsyncClient) -> None:
    refused(await api.post(f"/api/v1/runs/{uuid4()}/cancel", json={"reason": "\0"}), "reason")
