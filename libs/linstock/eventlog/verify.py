"""Does EVENTS say what Postgres says? Walks one log in the stream and compares each event with its row."""

import contextlib
from collections.abc import Callable, Sequence
from uuid import UUID

import asyncpg
import nats.errors
from msgspec import Struct
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from linstock import names
from linstock.bus.envelope import BadEnvelope, Delivered, from_message
from linstock.eventlog.history import History
from linstock.eventlog.record import Recorded

FETCH_EVENTS = 200
FETCH_TIMEOUT_S = 10.0

Progress = Callable[[int, int], None]
"""Called with (events compared, events to compare)."""


class Break(Struct, frozen=True):
    """Where the stream stops being the log."""

    position: int
    reason: str


class Verdict(Struct, frozen=True, kw_only=True):
    """`compared` events of the stream equal their rows, up to `broken` (None: all). `behind` events of Postgres come
    after the stream's last: not relayed yet."""

    log: str
    compared: int
    behind: int
    broken: Break | None


def first_break(epoch: UUID, previous: int, delivered: Sequence[Delivered], stored: Sequence[Recorded]) -> Break | None:
    """`stored` are the rows after `previous` up to the last delivered position."""
    rows = {row.position: row for row in stored}
    expected = iter(stored)
    for event in delivered:
        at, row = event.recorded.position, rows.get(event.recorded.position)
        if event.epoch != epoch:
            return Break(at, f"epoch {event.epoch}, but Postgres has {epoch}")
        if event.previous != previous:
            return Break(at, f"the chain is broken: its predecessor is {event.previous}, but {previous} came before it")
        if row is None:
            return Break(at, f"event {event.recorded.event_id} is not in Postgres")
        if (following := next(expected)).position != at:
            return Break(following.position, f"event {following.event_id} of Postgres is missing in EVENTS")
        if row.event_id != event.recorded.event_id:
            return Break(at, f"event {event.recorded.event_id}, but Postgres has {row.event_id}")
        if row != event.recorded:
            return Break(at, f"event {row.event_id} differs from its row")
        previous = at
    return None


async def verify(client: Client, connection: asyncpg.Connection, log: str, *, progress: Progress) -> Verdict:
    """Compares what is in EVENTS now; later events are left out. Leaves nothing behind."""
    history = History(connection, log)
    epoch = await history.epoch()
    js = client.jetstream(timeout=FETCH_TIMEOUT_S)
    subscription = await js.pull_subscribe(names.events_of(log), stream=names.EVENTS, config=_reader())
    previous = compared = 0
    try:
        total = (await subscription.consumer_info()).num_pending or 0
        while compared < total:
            delivered, unreadable = await _fetch(subscription, min(FETCH_EVENTS, total - compared), previous)
            last = max((event.recorded.position for event in delivered), default=previous)
            stored = await history.between(previous, last)
            if broken := first_break(epoch, previous, delivered, stored) or unreadable:
                return Verdict(log=log, compared=compared, behind=0, broken=broken)
            previous, compared = last, compared + len(delivered)
            progress(compared, total)
    finally:
        with contextlib.suppress(nats.errors.Error):  # it would end by itself after a minute
            await js.delete_consumer(names.EVENTS, (await subscription.consumer_info()).name)
    return Verdict(log=log, compared=compared, behind=await history.count(previous), broken=None)


def _reader() -> ConsumerConfig:
    return ConsumerConfig(
        ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL, mem_storage=True, inactive_threshold=60
    )


async def _fetch(
    subscription: JetStreamContext.PullSubscription, count: int, previous: int
) -> tuple[list[Delivered], Break | None]:
    """What can be read, and a break where that ends."""
    delivered: list[Delivered] = []
    for message in await subscription.fetch(count, timeout=FETCH_TIMEOUT_S):
        try:
            delivered.append(from_message(message.headers, message.data, subject=message.subject))
        except BadEnvelope as error:
            after = delivered[-1].recorded.position if delivered else previous
            return delivered, Break(after, f"after it comes a message that no relay published: {error.detail}")
    return delivered, None
