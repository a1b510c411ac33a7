"""One life of the active projection: from having the lock until something goes wrong.

It applies a batch and moves the positions in one transaction, then acks. Anything may be delivered twice or in another
order; a gap makes JetStream deliver again from its ack floor, then from the beginning, and if the chain is still broken
the session ends there. It never skips an event.
"""

from collections.abc import Callable, Sequence

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError

from linstock import names
from linstock.bus.envelope import BadEnvelope, from_message
from linstock.bus.provision import provision_on
from linstock.bus.pull import Pull
from services.projection import metrics, schema, store, tables
from services.projection.apply import Applied, apply
from services.projection.chain import Gap, NewEpoch
from services.projection.rebuild import start_over
from services.projection.schema import Connection
from services.projection.wire import read, still_pending

logger = structlog.get_logger(__name__)

AHEAD = 2_000
EVENTS_PER_TRANSACTION = 1_000


class StillBroken(Exception):
    """The chain of a log has a gap, also when EVENTS is read from its beginning."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(f"{self.__doc__} {gap.log} stands at {gap.stands_at}; {gap.position} follows {gap.previous}")
        self.gap = gap


class Session:
    """`run` never returns; it raises what ended it. `on_open` is called when it begins to listen, `on_progress` when
    rows were changed."""

    def __init__(
        self,
        connection: Connection,
        client: Client,
        *,
        database_url: str,
        on_open: Callable[[], None],
        on_progress: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._client = client
        self._database_url = database_url
        self._on_open = on_open
        self._on_progress = on_progress
        self._pull = self._new_pull()
        self._gaps = 0

    async def run(self) -> None:
        self._connection.add_termination_listener(self._on_lost)
        try:
            await self._prepare()
            await self._deliver_again(from_start=await self._forgotten())
            self._on_open()
            while True:
                await self._next()
        finally:
            await self._pull.close()

    async def _prepare(self) -> None:
        await schema.prepare(self._connection)
        shape = await self._connection.fetchval("SELECT version FROM shape")
        if shape is None and not await store.positions(self._connection, lock=False):
            await self._connection.execute("INSERT INTO shape (version) VALUES ($1)", tables.SHAPE)
        elif shape != tables.SHAPE:
            await self._rebuild(f"the stored rows have shape {shape}, this version makes {tables.SHAPE}")

    async def _next(self) -> None:
        messages = await self._pull.take(EVENTS_PER_TRANSACTION)
        found = read(messages)
        applied = await apply(self._connection, found.deliveries)
        await self._ack(messages[: applied.taken])
        self._measure(messages, applied)
        if applied.events:
            self._on_progress()
        match applied.stop:
            case None if found.bad:
                raise found.bad
            case None:
                self._gaps = 0
            case Gap() as gap:
                await self._close_gap(gap)
            case NewEpoch(log=log, epoch=epoch):
                await self._rebuild(f"{log} has the new epoch {epoch}")
                await self._deliver_again(from_start=False)
            case poison:
                raise poison

    async def _ack(self, messages: Sequence[Msg]) -> None:
        for message in messages:
            await message.ack()

    async def _close_gap(self, gap: Gap) -> None:
        self._gaps += 1
        logger.warning("Events are missing before one that arrived", log=gap.log, gap=gap, times=self._gaps)
        if self._gaps > 2:
            raise StillBroken(gap)
        # First what JetStream knows to be unacked; then all of it, should rows be older than the acks.
        await self._deliver_again(from_start=self._gaps == 2)

    async def _rebuild(self, reason: str) -> None:
        logger.warning("The read models are built again from EVENTS", reason=reason)
        metrics.REBUILDS.inc()
        await self._pull.close()
        await start_over(self._database_url, self._client)
        self._on_progress()
        logger.info("The read models are built again")

    async def _deliver_again(self, *, from_start: bool) -> None:
        """Without this, what a killed predecessor had in hand would come only after its ack_wait of 30 s."""
        await self._pull.close()
        js = self._client.jetstream()
        try:
            # Asked first, because nobody answers a reset of what is not there.
            await js.consumer_info(names.EVENTS, names.PROJECTION_DURABLE)
        except NotFoundError:
            logger.error("EVENTS or the projection's durable is gone, it is made again")
            await provision_on(self._client)
        else:
            await js.reset_consumer(names.EVENTS, names.PROJECTION_DURABLE, seq=1 if from_start else None)
        self._pull = self._new_pull()
        await self._pull.open()

    async def _forgotten(self) -> bool:
        """Whether events were acked that the rows do not reflect (the rows came from a backup, say): nothing that
        arrives later would tell while the logs are quiet."""
        js = self._client.jetstream()
        stands = await store.positions(self._connection, lock=False)
        for log in names.LOGS:
            try:
                last = await js.get_last_msg(names.EVENTS, names.events_of(log))
                newest = from_message(last.headers, last.data or b"", subject=last.subject or "")
            except (NotFoundError, BadEnvelope):
                continue
            known = stands.get(log)
            if known is None or known.epoch != newest.epoch or known.position < newest.recorded.position:
                return await self._acked_all()
        return False

    async def _acked_all(self) -> bool:
        try:
            info = await self._client.jetstream().consumer_info(names.EVENTS, names.PROJECTION_DURABLE)
        except NotFoundError:
            return False
        return not info.num_pending and not info.num_ack_pending

    def _measure(self, messages: Sequence[Msg], applied: Applied) -> None:
        metrics.PENDING.set(still_pending(messages[-1]))
        for log, position in applied.positions.items():
            metrics.POSITION.labels(log).set(position.position)
        metrics.EVENTS.inc(applied.events)
        if applied.stop is None:
            metrics.STOPPED.set(0)

    def _on_lost(self, _connection: object) -> None:
        self._pull.interrupt("the connection to Postgres is lost")

    def _new_pull(self) -> Pull:
        return Pull(self._client, stream=names.EVENTS, consumer=names.PROJECTION_DURABLE, ahead=AHEAD)
