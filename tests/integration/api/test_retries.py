"""Retries under an idempotency key, over HTTP and with the service that owns libraries."""

from collections.abc import AsyncIterator

import httpx
import pytest

from linstock import names
from linstock.probes import Vitals
from linstock.settings import Settings
from services.library.app import LibraryService

NEW = {"name": "Pictures", "path": "/data/pictures"}
KEY = {"Idempotency-Key": "once"}


@pytest.fixture(autouse=True)
async def library(database_url: str, nats_url: str, api: httpx.AsyncClient) -> AsyncIterator[None]:
    settings = Settings(service=names.LIBRARY, database_url=database_url, nats_url=nats_url)
    service = LibraryService(settings, Vitals(names.LIBRARY))
    await service.start()
    yield
    await service.stop()


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
    assert kept == first.json()


async def test_another_command_under_the_same_key_is_refused(api: httpx.AsyncClient) -> None:
    first = await api.post("/api/v1/libraries", json=NEW, headers=KEY)
    other = await api.delete(first.headers["location"], headers=KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert (await api.get(first.headers["location"])).status_code == 200
