"""The projection acks before it commits, and trusts the acks. It dies between the two; then the logs fall silent."""

import asyncio
from unittest.mock import patch
from uuid import uuid4

from nats.aio.client import Client

from linstock import names
from linstock.bus.connection import close, connect
from linstock.messages.library import LibraryCreated, Settings
from services.projection import schema
from services.projection.apply import apply
from services.projection.session import EVENTS_PER_TRANSACTION, Session
from services.projection.wire import read
from tests.faults.controls.place import Place, wrong
from tests.support.recorded import RecordedLog, publish
from tests.support.waiting import becomes

LIBRARIES = 5


class Killed(Exception):
    """The process ended here."""


class TrustsAcks(Session):
    """What it acked it believes to have; nothing is looked up or asked for again."""

    async def _next(self) -> None:
        messages = await self._pull.take(EVENTS_PER_TRANSACTION)
        await self._ack(messages)
        await self._client.flush()
        await apply(self._connection, read(messages).deliveries)

    async def _forgotten(self) -> bool:
        return False


async def scenario(place: Place, sabotaged: bool) -> str:
    client = await connect(place.nats_url, "control")
    try:
        log = RecordedLog(names.LIBRARY)
        for number in range(LIBRARIES):
            library_id = uuid4()
            settings = Settings(name=f"Library {number}", path="/photos")
            log.says(library_id, LibraryCreated(library_id=library_id, settings=settings))
        await publish(client, log.deliveries)
        kind = TrustsAcks if sabotaged else Session
        await _life(place, client, kind, dies=True)
        rows = await _life(place, client, kind, dies=False)
        return wrong(lost=LIBRARIES - rows, unacked=0)
    finally:
        await close(client)


async def _life(place: Place, client: Client, kind: type[Session], *, dies: bool) -> int:
    """One life of the projection, until it dies or has nothing left to do; how many libraries its rows show."""
    connection = await schema.connect(place.database_url)

    def at(point: str) -> None:
        if dies and point == "before_projection_commit":
            raise Killed

    session = kind(connection, client, database_url=place.database_url, on_open=lambda: None, on_progress=lambda: None)
    try:
        with patch("services.projection.apply.reach", at):
            running = asyncio.create_task(session.run())
            if dies:
                try:
                    await asyncio.wait_for(running, 15)
                except Killed:
                    return 0
            await becomes(lambda: _idle(client), expected=True)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        count: int = await connection.fetchval("SELECT count(*) FROM libraries")
        return count
    finally:
        await connection.close()


async def _idle(client: Client) -> bool:
    info = await client.jetstream().consumer_info(names.EVENTS, names.PROJECTION_DURABLE)
    return not info.num_pending and not info.num_ack_pending
