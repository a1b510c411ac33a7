"""The OpenAPI document says what the routes do."""

import re
from typing import Any

import httpx
import pytest

PATHS = {
    "/": {"get"},
    "/api/v1/libraries": {"get", "post"},
    "/api/v1/libraries/{library_id}": {"get", "patch", "delete"},
    "/api/v1/libraries/{library_id}/collections": {"get"},
    "/api/v1/libraries/{library_id}/scans": {"get", "post"},
    "/api/v1/operations/{command_id}": {"get"},
    "/api/v1/scans/{scan_id}": {"get"},
    "/api/v1/scans/{scan_id}/changes": {"get"},
    "/api/v1/scans/{scan_id}/diff": {"get"},
    "/api/v1/libraries/{library_id}/statistics": {"get"},
    "/api/v1/collections": {"get"},
    "/api/v1/collections/{collection_id}": {"get"},
    "/api/v1/runs": {"get"},
    "/api/v1/runs/{run_id}": {"get"},
    "/api/v1/runs/{run_id}/cancel": {"post"},
    "/api/v1/runs/{run_id}/stream": {"get"},
    "/api/v1/runs/{run_id}/pause": {"post"},
    "/api/v1/runs/{run_id}/resume": {"post"},
    "/api/v1/statistics": {"get"},
    **{
        f"/api/v1/{name}{path}": methods
        for name in ("scheduledjobs", "schedules")
        for path, methods in {
            "": {"get", "post"},
            "/active": {"get"},
            "/runs/recent": {"get"},
            "/library/{library_id}": {"get"},
            "/{schedule_id}": {"get", "patch", "put", "delete"},
            "/{schedule_id}/enable": {"post"},
            "/{schedule_id}/disable": {"post"},
            "/{schedule_id}/trigger": {"post"},
            "/{schedule_id}/runs": {"get"},
        }.items()
    },
}


@pytest.fixture
async def document(api: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get("/openapi.json")).json()
    assert (await api.get("/api/openapi.json")).json() == found
    return found


async def test_every_route_and_every_schema_is_described(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert PATHS.items() <= {path: set(methods) for path, methods in document["paths"].items()}.items()
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"]
        problems = [answer for status, answer in operation["responses"].items() if status >= "400"]
        assert problems
        assert all(set(answer["content"]) == {"application/problem+json"} for answer in problems)
    references = set(re.findall(r"#/components/schemas/[^\"']+", repr(document)))
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references
    assert references <= known


async def test_every_path_parameter_is_declared(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            declared = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
            assert declared == set(re.findall(r"\{(\w+)\}", path)), path


async def test_what_a_client_needs_to_create_a_library(document: dict[str, Any]) -> None:
    create = document["paths"]["/api/v1/libraries"]["post"]
    reference = create["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    body = document["components"]["schemas"][reference]
    assert set(body["required"]) == {"name", "path"}
    assert body["additionalProperties"] is False
    assert body["properties"]["cronExpression"]["default"] == "0 2 * * *"
    assert {"201", "202", "400", "409", "413", "415", "422", "503"} <= set(create["responses"])
    assert "Idempotency-Key" in {each["name"] for each in create["parameters"]}
    delete = document["paths"]["/api/v1/libraries/{library_id}"]["delete"]
    assert "content" not in delete["responses"]["204"]
