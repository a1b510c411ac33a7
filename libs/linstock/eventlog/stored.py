"""The stored shape of an event: a row of the recorder's table whose `state` is an envelope of JSON.

A contract for ever: a field may only be added with a default.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from linstock.eventlog.record import Append, EventTooLarge, Origin, Recorded
from linstock.messages.message import Message

EVENT_LIMIT_BYTES = 768 * 1024


class Envelope(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the columns of a row do not say. `data` is the event's own JSON."""

    id: UUID
    time: datetime
    workspace: str
    aggregate: str
    actor: str
    correlation: UUID
    causation: UUID | None = None
    traceparent: str | None = None
    data: Raw


class Row(Struct, frozen=True):
    """An event ready to be inserted; it has no position yet."""

    aggregate_id: UUID
    version: int
    topic: str
    state: bytes
    envelope: Envelope


class Encoded(Struct, frozen=True):
    """One call's events, and the version that each of its aggregates must be at."""

    rows: tuple[Row, ...]
    expected: tuple[tuple[UUID, int], ...]


_WORKSPACE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TYPE = re.compile(r"linstock\.[a-z0-9_]+\.[a-z0-9_]+\.v[0-9]+")
_encoder = msgspec.json.Encoder()
_envelopes = msgspec.json.Decoder(Envelope)


def encode(appends: Sequence[Append], origin: Origin, event_ids: Iterator[UUID]) -> "Encoded":
    """Raises EventTooLarge, and ValueError for what no caller of ours may ask: two appends for one aggregate, or a
    workspace or event type that would not fit into a subject (it would stop the relay for ever)."""
    for workspace in {origin.workspace, *(append.origin.workspace for append in appends if append.origin)}:
        if not _WORKSPACE.fullmatch(workspace):
            raise ValueError(f"not a workspace: {workspace!r}")
    appends = [append for append in appends if append.events]
    expected = tuple((append.aggregate_id, append.expected_version) for append in appends)
    if len({aggregate_id for aggregate_id, _ in expected}) < len(expected):
        raise ValueError("two appends for one aggregate in one call")
    return Encoded(
        tuple(row for append in appends for row in _rows(append, append.origin or origin, event_ids)), expected
    )


def _rows(append: Append, origin: Origin, event_ids: Iterator[UUID]) -> Iterator[Row]:
    for version, event in enumerate(append.events, append.expected_version + 1):
        topic = _topic(type(event))
        data = _encoder.encode(event)
        if len(data) > EVENT_LIMIT_BYTES:
            raise EventTooLarge(topic, len(data))
        envelope = Envelope(
            id=next(event_ids),
            time=origin.at,
            workspace=origin.workspace,
            aggregate=append.aggregate,
            actor=origin.actor,
            correlation=origin.correlation_id,
            causation=origin.causation_id,
            traceparent=origin.traceparent,
            data=Raw(data),
        )
        yield Row(append.aggregate_id, version, topic, _encoder.encode(envelope), envelope)


@cache
def _topic(event: type[Message]) -> str:
    topic = str(event.__struct_config__.tag)
    if not _TYPE.fullmatch(topic):
        raise ValueError(f"not an event: {event.__name__} has the tag {topic}")
    return topic


def to_recorded(log: str, position: int, row: Row) -> Recorded:
    return _recorded(log, position, row.aggregate_id, row.version, row.topic, row.envelope)


def recorded(log: str, position: int, aggregate_id: UUID, version: int, topic: str, state: bytes) -> Recorded:
    """The event of a stored row."""
    return _recorded(log, position, aggregate_id, version, topic, _envelopes.decode(state))


def _recorded(log: str, position: int, aggregate_id: UUID, version: int, topic: str, envelope: Envelope) -> Recorded:
    return Recorded(
        log=log,
        position=position,
        event_id=envelope.id,
        type=topic,
        time=envelope.time,
        workspace=envelope.workspace,
        aggregate=envelope.aggregate,
        aggregate_id=aggregate_id,
        version=version,
        actor=envelope.actor,
        correlation_id=envelope.correlation,
        causation_id=envelope.causation,
        traceparent=envelope.traceparent,
        data=envelope.data,
    )
