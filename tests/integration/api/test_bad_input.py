"""Bad input gets a problem with a stable code, and reaches no owner."""

from typing import Any
from uuid import uuid4

import httpx

from tests.integration.api.conftest import Owner

GOOD = {"name": "Pictures", "path": "/data/pictures"}
LIBRARY = f"/api/v1/libraries/{uuid4()}"
JSON = {"content-type": "application/json"}


# By their type alone. What else is wrong with settings is for their owner to say: test_refusals.py.
FIELDS_THAT_ARE_WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"name": 5}, "name"),
    ({"path": ""}, "path"),
    ({"autoScan": "yes"}, "autoScan"),
    ({"autoScan": 1}, "autoScan"),
    ({"excludePatterns": ["*.tmp", ""]}, "excludePatterns/1"),
    ({"extensions": []}, "extensions"),
    ({"autoscan": True}, "autoscan"),
    ({"auto.scan/1": True}, "auto.scan~11"),
    ({"name": None}, "name"),
]


async def test_fields_that_are_wrong(api: httpx.AsyncClient, library_owner: Owner) -> None:
    for fields, field in FIELDS_THAT_ARE_WRONG:
        for answer in (
            await api.post("/api/v1/libraries", json={**GOOD, **fields}),
            await api.patch(LIBRARY, json=fields),
        ):
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (422, "invalid"), problem
            assert [error["pointer"] for error in problem["errors"]] == [f"#/{field}"]
        assert library_owner.commands == []


BODIES_THAT_ARE_WRONG: list[tuple[bytes, dict[str, str], int, str]] = [
    (b"{", JSON, 400, "malformed"),
    (b"\xff\xfe", JSON, 400, "malformed"),
    (b"", JSON, 400, "malformed"),
    (b"[" * 100_000, JSON, 422, "invalid"),
    (b"[]", JSON, 422, "invalid"),
    (b"null", JSON, 422, "invalid"),
    (b"name=x", {"content-type": "application/x-www-form-urlencoded"}, 415, "unsupported-media-type"),
    (b'{"name":"x","path":"/x"}', {}, 415, "unsupported-media-type"),
    (b'{"name":"' + b"x" * 1024 * 1024 + b'"}', JSON, 413, "body-too-large"),
]


async def test_bodies_that_are_wrong(api: httpx.AsyncClient, library_owner: Owner) -> None:
    for content, headers, status, code in BODIES_THAT_ARE_WRONG:
        for method, path in (("POST", "/api/v1/libraries"), ("PATCH", LIBRARY)):
            answer = await api.request(method, path, content=content, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            assert answer.headers["content-type"] == "application/problem+json"
        assert library_owner.commands == []


async def test_pages_that_are_wrong(api: httpx.AsyncClient) -> None:
    wrong = ["page=0", "page=-1", "page=x", "page=1.5", "page=", "page=²", "page=" + "9" * 20]
    for query in [*wrong, "pageSize=0", "pageSize=201"]:
        for path in ("/api/v1/libraries", "/api/v1/scheduledjobs", f"{LIBRARY}/collections", f"{LIBRARY}/scans"):
            answer = await api.get(f"{path}?{query}")
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), path
            assert answer.json()["errors"][0]["parameter"] == query.partition("=")[0]


async def test_keys_that_are_wrong(api: httpx.AsyncClient, library_owner: Owner) -> None:
    for key in ("", "with space", "x" * 256):
        answer = await api.post("/api/v1/libraries", json=GOOD, headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed-idempotency-key")
    assert library_owner.commands == []


async def test_positions_that_are_wrong(api: httpx.AsyncClient) -> None:
    for vector in ("", "library", "library:x", "library:1,", "library:-1", "a:1" * 100):
        answer = await api.get("/api/v1/libraries", headers={"Linstock-Position": vector})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed-position"), vector


async def test_methods_that_a_path_does_not_take(api: httpx.AsyncClient) -> None:
    answer = await api.put("/api/v1/libraries", json=GOOD)
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert "GET" in answer.headers["allow"]


async def test_other_sites_pages_change_nothing(api: httpx.AsyncClient, library_owner: Owner) -> None:
    for headers, code in (
        ({"host": "evil.example"}, "host-not-allowed"),
        ({"host": "127.0.0.1.evil.example:80"}, "host-not-allowed"),
        ({"origin": "https://evil.example"}, "cross-origin"),
        ({"origin": "null"}, "cross-origin"),
        ({"origin": "http://["}, "cross-origin"),
        ({"sec-fetch-site": "cross-site"}, "cross-origin"),
    ):
        answer = await api.post("/api/v1/libraries", json=GOOD, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, code), headers
    assert library_owner.commands == []


async def test_no_page_of_another_site_may_read(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/v1/libraries", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


async def test_a_word_that_is_none_of_those_allowed_is_refused_with_all_of_them(api: httpx.AsyncClient) -> None:
    for url in (f"{LIBRARY}/scans", "/api/v1/scheduledjobs"):
        problem = (await api.post(url, json={"scanMode": "thorough"})).json()
        assert problem["errors"] == [
            {
                "detail": "Invalid enum value 'thorough': it is Full, Incremental, changed, deep, quick or verify",
                "pointer": "#/scanMode",
            }
        ]
