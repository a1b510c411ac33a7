"""No fence on the relay. One relay stops between reading and publishing, loses the log to another, and goes on."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg

from linstock import names
from linstock.bus.connection import close, connect
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Append, Origin
from linstock.eventlog.relay import Relay
from linstock.eventlog.stream import EventStream
from linstock.messages.library import LibraryCreated, Settings
from linstock.migrations import advisory_key
from tests.faults import oracles
from tests.faults.controls.place import Place, wrong
from tests.faults.history import read_history
from tests.support.recorded import NOON
from tests.support.waiting import becomes

EVENTS = 20
EXPECTED = "Nats-Expected-Last-Subject-Sequence"


class Bottleneck:
    """A NATS client that can hold back what is published, and leave the fence out."""

    def __init__(self, client: Any, *, fenced: bool) -> None:
        self._client = client
        self._fenced = fenced
        self.open = asyncio.Event()
        self.held = asyncio.Event()
        self.passed = asyncio.Event()

    async def publish(self, subject: str, payload: bytes, **kwargs: Any) -> None:
        await self._hold()
        await self._client.publish(subject, payload, headers=self._headers(kwargs["headers"]))

    async def request(self, subject: str, payload: bytes, timeout: float, **kwargs: Any) -> Any:
        if "headers" not in kwargs:
            return await self._client.request(subject, payload, timeout, **kwargs)
        await self._hold()
        try:
            return await self._client.request(subject, payload, timeout, headers=self._headers(kwargs["headers"]))
        finally:
            self.passed.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def _hold(self) -> None:
        self.held.set()
        await self.open.wait()

    def _headers(self, headers: dict[str, str]) -> dict[str, str]:
        return headers if self._fenced else {key: value for key, value in headers.items() if EXPECTED not in key}


async def scenario(place: Place, sabotaged: bool) -> str:
    log = await PostgresLog.open(names.LIBRARY, place.database_url)
    slow_client, client = await connect(place.nats_url, "slow"), await connect(place.nats_url, "quick")
    bottleneck = Bottleneck(slow_client, fenced=not sabotaged)
    slow, quick = (Relay(log, dsn=place.database_url, nats=each) for each in (slow_client, client))
    slow._stream = EventStream(bottleneck, log.name)  # type: ignore[arg-type]
    try:
        await _append(log)
        await slow.start()
        await asyncio.wait_for(bottleneck.held.wait(), 10)
        await _end_lead(place.database_url, log.name)
        await quick.start()
        await becomes(lambda: quick.lag().active and quick.lag().behind == 0, expected=True)
        bottleneck.open.set()
        await asyncio.wait_for(bottleneck.passed.wait(), 10)
        found = oracles.carriage(await read_history(place.database_url, place.nats_url, (log.name,)))
        return wrong(missing=found.missing, doubled=found.doubled, disordered=found.disordered)
    finally:
        for relay in (slow, quick):
            await relay.stop()
        await log.close()
        await close(slow_client)
        await close(client)


async def _append(log: PostgresLog) -> None:
    for number in range(EVENTS):
        library_id = uuid4()
        created = LibraryCreated(library_id=library_id, settings=Settings(name=f"Library {number}", path="/photos"))
        origin = Origin(workspace=names.DEFAULT_WORKSPACE, actor="control", at=NOON, correlation_id=library_id)
        await log.append(
            [Append(aggregate="library", aggregate_id=library_id, expected_version=0, events=[created])], origin
        )


async def _end_lead(database_url: str, log: str) -> None:
    """End the connection that holds the relay's lock, as a lost network would."""
    key = advisory_key("relay", log) % 2**64
    connection = await asyncpg.connect(database_url)
    try:
        await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid::bigint = $1 AND objid::bigint = $2",
            key >> 32,
            key & 0xFFFFFFFF,
        )
    finally:
        await connection.close()
