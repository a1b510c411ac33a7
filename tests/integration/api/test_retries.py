"""Retries under an idempotency key, over HTTP and with the service that owns libraries."""

import asyncio

import httpx
import pytest

NEW = {"name": "Pictures", "path": "/data/pictures"}
KEY = {"Idempotency-Key": "once"}


pytestmark = pytest.mark.usefixtures("owners")


async def test_the_same_again_is_the_same_library(api: httpx.AsyncClient) -> None:
    first = await api.post("/api/v1/libraries", json=NEW, headers=KEY)
    again = await api.post("/api/v1/libraries", json={**NEW, "autoScan": False}, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["linstock-position"] == first.headers["linstock-position"]
    assert (await api.get("/api/v1/libraries")).json()["totalCount"] == 1


async def test_another_body_under_the_same_key_is_refused(api: httpx.AsyncClient) -> None:
    first = await api.post("/api/v1/libraries", json=NEW, headers=KEY)
    other = await api.post("/api/v1/libraries", json={**NEW, "name": "Photos"}, headers=KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert other.headers["content-type"] == "application/problem+json"
    [kept] = (await api.get("/api/v1/libraries")).json()["data"]
    assert {**kept, "warnings": []} == first.json()


async def test_another_command_under_the_same_key_is_refused(api: httpx.AsyncClient) -> None:
    first = await api.post("/api/v1/libraries", json=NEW, headers=KEY)
    other = await api.delete(first.headers["location"], headers=KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert (await api.get(first.headers["location"])).status_code == 200


async def test_the_same_at_the_same_time_is_done_once(api: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(api.post("/api/v1/libraries", json=NEW, headers=KEY) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await api.get("/api/v1/libraries")).json()["totalCount"] == 1


async def test_of_two_bodies_at_the_same_time_under_one_key_one_is_done(api: httpx.AsyncClient) -> None:
    names = ["Photos", "Pictures"] * 5
    answers = await asyncio.gather(
        *(api.post("/api/v1/libraries", json={**NEW, "name": name}, headers=KEY) for name in names)
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [422] * 5
    assert {answer.json()["code"] for answer in answers if answer.status_code == 422} == {"idempotency-key-reused"}
    assert (await api.get("/api/v1/libraries")).json()["totalCount"] == 1
