"""What really happened: every event as Postgres has it, and every message as EVENTS has it, read directly."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
import msgspec
from nats.js import JetStreamContext

from linstock import names
from linstock.bus.connection import close, connect_once
from linstock.bus.envelope import Delivered, from_message
from linstock.eventlog.record import Recorded
from linstock.eventlog.recorder import TABLE
from linstock.eventlog.stored import recorded
from services.projection.fact import event_types

FETCH_TIMEOUT_S = 10.0

_DECODERS = {tag: msgspec.json.Decoder(kind) for tag, kind in event_types().items()}


@dataclass(frozen=True)
class Carried:
    """One message of EVENTS, and when the NATS server stored it (its own clock)."""

    delivered: Delivered
    sequence: int
    stored_at: datetime


@dataclass(frozen=True)
class History:
    """`log` is the truth, by log name, in order of position; `stream` is EVENTS in order of sequence."""

    log: dict[str, list[Recorded]] = field(default_factory=dict)
    stream: list[Carried] = field(default_factory=list)

    def events(self) -> list[Recorded]:
        """Of all logs, each log in its order."""
        return [event for name in sorted(self.log) for event in self.log[name]]

    def carried(self, log: str) -> list[Carried]:
        return [each for each in self.stream if each.delivered.recorded.log == log]


async def read_history(database_url: str, nats_url: str, logs: Sequence[str] = names.LOGS) -> History:
    """Postgres first: what it has then must be in EVENTS, once the relays have caught up."""
    connection = await asyncpg.connect(database_url)
    try:
        log = {name: await _read_log(connection, name) for name in logs}
    finally:
        await connection.close()
    client = await connect_once(nats_url, "faults-history")
    try:
        return History(log, await _read_stream(client.jetstream()))
    finally:
        await close(client)


async def _read_log(connection: asyncpg.Connection, log: str) -> list[Recorded]:
    rows = await connection.fetch(
        f"SELECT notification_id, originator_id, originator_version, topic, state FROM {log}.{TABLE} ORDER BY 1"
    )
    return [recorded(log, *row) for row in rows]


async def _read_stream(js: JetStreamContext) -> list[Carried]:
    count = (await js.stream_info(names.EVENTS)).state.messages
    found: list[Carried] = []
    if not count:
        return found
    subscription = await js.subscribe(
        names.ALL_EVENTS, stream=names.EVENTS, ordered_consumer=True, pending_msgs_limit=-1, pending_bytes_limit=-1
    )
    while len(found) < count:
        message = await subscription.next_msg(FETCH_TIMEOUT_S)
        delivered = from_message(message.headers, message.data, subject=message.subject)
        found.append(Carried(delivered, message.metadata.sequence.stream, message.metadata.timestamp))
    await subscription.unsubscribe()
    return found


def decoded(record: Recorded) -> object:
    """The event itself."""
    return _DECODERS[record.type].decode(record.data)
