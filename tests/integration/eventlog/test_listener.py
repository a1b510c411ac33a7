"""Hearing that a log has grown, also after what the driver did not say it would raise."""

import asyncio
from typing import Any

import asyncpg
import pytest

from linstock.eventlog import listener
from linstock.eventlog.listener import Listener

SAID = asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")


async def test_it_listens_again_whatever_connecting_raises(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    failures: list[Exception] = [SAID]
    connect = asyncpg.connect

    async def fails_once(*args: Any, **kwargs: Any) -> Any:
        if failures:
            raise failures.pop()
        return await connect(*args, **kwargs)

    monkeypatch.setattr(asyncpg, "connect", fails_once)
    monkeypatch.setattr(listener, "RETRY_S", 0)
    heard = asyncio.Event()
    listening = Listener(database_url, "library_events", lambda _: heard.set())
    listening.start()
    try:
        async with asyncio.timeout(10):
            await heard.wait()
    finally:
        await listening.close()
