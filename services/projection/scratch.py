"""EVENTS folded from its beginning into a schema of its own, beside the live one."""

import contextlib
from collections.abc import Callable
from uuid import uuid4

import nats.errors
from msgspec import Struct
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError

from linstock import names
from linstock.bus.envelope import Delivered
from linstock.bus.pull import Pull
from linstock.migrations import quoted
from services.projection import schema, tables
from services.projection.apply import apply
from services.projection.chain import Gap, NewEpoch, Position
from services.projection.schema import Connection
from services.projection.wire import read, still_pending

AHEAD = 10_000
EVENTS_PER_TRANSACTION = 4_000


class Progress(Struct, frozen=True):
    applied: int
    total: int


class BrokenChain(Exception):
    """EVENTS does not hold one unbroken chain of each log; `linstock events republish` makes it again from the logs."""

    def __init__(self, stop: Gap | NewEpoch) -> None:
        super().__init__(f"{self.__doc__} {stop}")
        self.stop = stop


class EventsBehind(Exception):
    """EVENTS ends before the live tables do: it was lost, and the relays have not filled it again yet."""

    def __init__(self, log: str, wanted: int, found: int) -> None:
        super().__init__(f"{self.__doc__} {log}:{wanted} is projected, {log}:{found} is there")
        self.log, self.wanted, self.found = log, wanted, found


class Scratch:
    """Open it, lead it `to` positions or `to_end`, close it. The schema stays until the next `open`."""

    def __init__(self, database_url: str, client: Client, name: str) -> None:
        self.name = name
        self.positions: dict[str, Position] = {}
        self.connection: Connection
        self._opened = False
        self._database_url = database_url
        self._client = client
        self._consumer = f"{names.PROJECTION_DURABLE}-{name.replace('_', '-')}-{uuid4().hex[:8]}"
        self._pull = Pull(client, stream=names.EVENTS, consumer=self._consumer, ahead=AHEAD)
        self._unread: list[Delivered] = []
        self._pending = 0
        self._applied = 0
        self._received = 0

    async def open(self) -> None:
        self.connection = await schema.connect(self._database_url, self.name)
        self._opened = True
        await self.connection.execute(f"DROP SCHEMA IF EXISTS {quoted(self.name)} CASCADE")
        await schema.prepare(self.connection, self.name)
        await self.connection.execute("INSERT INTO shape (version) VALUES ($1)", tables.SHAPE)
        # Nothing reads these rows before a commit that waits for the disk, the switch, has followed.
        await self.connection.execute("SET synchronous_commit = off")
        js = self._client.jetstream()
        consumer = ConsumerConfig(
            name=self._consumer,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.NONE,
            mem_storage=True,
            inactive_threshold=60,
        )
        self._pending = (await js.add_consumer(names.EVENTS, consumer)).num_pending or 0
        await self._pull.open()

    async def close(self) -> None:
        try:
            await self._pull.close()
            with contextlib.suppress(nats.errors.Error, APIError, TimeoutError, OSError):
                await self._client.jetstream().delete_consumer(names.EVENTS, self._consumer)
        finally:
            if self._opened:
                await self.connection.close()

    async def drop(self) -> None:
        await self.connection.execute(f"DROP SCHEMA IF EXISTS {quoted(self.name)} CASCADE")

    async def to_end(self, report: Callable[[Progress], None]) -> None:
        """Up to what was the end of the stream a moment ago. Raises BrokenChain and Poison."""
        while await self._more():
            await self._step(None)
            report(self._progress())

    async def to(self, wanted: dict[str, Position], report: Callable[[Progress], None]) -> None:
        """Exactly up to `wanted`, where the live tables stand. Raises EventsBehind as well."""
        await self._towards(wanted, wanted, report)

    async def past(self, wanted: dict[str, Position], report: Callable[[Progress], None]) -> None:
        """At least up to `wanted`. Raises EventsBehind as well."""
        await self._towards(wanted, None, report)

    async def _towards(
        self, wanted: dict[str, Position], limit: dict[str, Position] | None, report: Callable[[Progress], None]
    ) -> None:
        while lacking := self._lacking(wanted):
            log, position = lacking
            if not await self._more() or not await self._step(limit):
                raise EventsBehind(log, wanted[log].position, position)
            report(self._progress())

    def _lacking(self, wanted: dict[str, Position]) -> tuple[str, int] | None:
        """A log that stands before `wanted`. In another epoch positions mean something else: any is far enough."""
        for log, position in wanted.items():
            stands = self.positions.get(log)
            if stands is None or (stands.epoch == position.epoch and stands.position < position.position):
                return log, stands.position if stands else 0
        return None

    async def _more(self) -> bool:
        if self._unread or self._pending:
            return True
        info = await self._client.jetstream().consumer_info(names.EVENTS, self._consumer)
        # What was sent to us may still be on its way.
        sent = info.delivered.consumer_seq if info.delivered else 0
        self._pending = (info.num_pending or 0) + sent - self._received
        return self._pending > 0

    async def _step(self, limit: dict[str, Position] | None) -> bool:
        """False when the next event is beyond `limit`."""
        if not self._unread:
            await self._read()
        end = next((index for index, delivered in enumerate(self._unread) if _beyond(delivered, limit)), None)
        batch, self._unread = self._unread[:end], [] if end is None else self._unread[end:]
        applied = await apply(self.connection, batch)
        if isinstance(applied.stop, Gap | NewEpoch):
            raise BrokenChain(applied.stop)
        if applied.stop is not None:
            raise applied.stop
        self.positions = applied.positions
        self._applied += applied.events
        return bool(batch)

    async def _read(self) -> None:
        messages = await self._pull.take(EVENTS_PER_TRANSACTION)
        found = read(messages)
        if found.bad:
            raise found.bad
        self._received += len(messages)
        self._pending = still_pending(messages[-1])
        self._unread = found.deliveries

    def _progress(self) -> Progress:
        return Progress(self._applied, self._applied + self._pending + len(self._unread))


def _beyond(delivered: Delivered, limit: dict[str, Position] | None) -> bool:
    if limit is None:
        return False
    wanted = limit.get(delivered.recorded.log)
    return wanted is None or delivered.recorded.position > wanted.position
