"""The relay's hold on its log: one Postgres connection with the log's relay lock and its notifications.

Reading through the connection that holds the lock means that whoever lost the lock cannot read on either.
"""

import asyncio
from collections.abc import Callable
from uuid import UUID

import asyncpg
from msgspec import Struct

from linstock.cancellation import cancel
from linstock.eventlog.record import Recorded
from linstock.eventlog.recorder import TABLE, NoEpoch, channel_of
from linstock.eventlog.stored import recorded
from linstock.migrations import advisory_key, quoted

CONNECT_TIMEOUT_S = 5.0
QUERY_TIMEOUT_S = 10.0
BATCH_EVENTS = 500
BATCH_BYTES = 3 * 1024 * 1024  # of stored events; headers and the envelope of the wire make up to 4 MiB of it

# A host that dies without closing its connection holds the lock until keep-alives notice.
_KEEPALIVE = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"}


class Page(Struct, frozen=True):
    """A run of the log, and the epoch it was read under: both of one instant."""

    epoch: UUID
    events: list[Recorded]


class Tail:
    """At most one per log and database, whatever the number of processes."""

    def __init__(self, connection: asyncpg.Connection, log: str) -> None:
        """Use `take`."""
        self.log = log
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._connection = connection
        self._ahead: tuple[int, asyncio.Task[Page]] | None = None
        names = {"table": f"{quoted(log)}.{TABLE}", "epoch": f"{quoted(log)}.epoch"}
        self._page = _PAGE.format(**names)
        self._event = _EVENT.format(**names)
        self._epoch = _EPOCH.format(**names)
        self._head = _HEAD.format(**names)

    @classmethod
    async def take(cls, dsn: str, log: str, ring: Callable[[int], None]) -> "Tail | None":
        """None while another holds it. `ring` gets the server process id of each transaction that appended."""
        connection = await asyncpg.connect(
            dsn, timeout=CONNECT_TIMEOUT_S, command_timeout=QUERY_TIMEOUT_S, server_settings=_KEEPALIVE
        )
        try:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", advisory_key("relay", log)):
                await connection.close()
                return None
            tail = cls(connection, log)
            connection.add_termination_listener(lambda _: tail._ended())
            await connection.add_listener(channel_of(log), lambda _connection, pid, *_: ring(pid))
        except BaseException:
            connection.terminate()
            raise
        return tail

    def _ended(self) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    async def close(self) -> None:
        """Lets go of the lock."""
        await self._drop_ahead()
        try:
            await self._connection.close(timeout=CONNECT_TIMEOUT_S)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._connection.terminate()

    async def page(self, after: int) -> Page:
        """The next events, at most 500 and 3 MiB (but at least one, when there is one).

        Behind a full page it reads on by itself: while JetStream stores one page, the next is fetched and decoded.
        """
        if self._ahead and self._ahead[0] == after:
            (_, reading), self._ahead = self._ahead, None
            page = await reading
        else:
            await self._drop_ahead()
            page = await self._read(after)
        if len(page.events) == BATCH_EVENTS:
            last = page.events[-1].position
            self._ahead = last, asyncio.create_task(self._read(last))
        return page

    async def _drop_ahead(self) -> None:
        if self._ahead:
            (_, reading), self._ahead = self._ahead, None
            await cancel(reading)

    async def _read(self, after: int) -> Page:
        rows = await self._connection.fetch(self._page, after, BATCH_EVENTS, BATCH_BYTES)
        if not rows:
            raise NoEpoch(self.log)
        events = [
            recorded(self.log, position, aggregate_id, version, topic, state)
            for _, position, aggregate_id, version, topic, state in rows
            if position is not None
        ]
        return Page(rows[0][0], events)

    async def event_id_at(self, position: int) -> UUID | None:
        """None when the log has no such position."""
        row = await self._connection.fetchrow(self._event, position)
        return recorded(self.log, *row).event_id if row else None

    async def epoch(self) -> UUID:
        """Raises NoEpoch."""
        epoch: UUID | None = await self._connection.fetchval(self._epoch)
        if epoch is None:
            raise NoEpoch(self.log)
        return epoch

    async def head(self) -> int:
        """The last position of the log."""
        head: int = await self._connection.fetchval(self._head)
        return head


# The size of a value is in its row even when the value is not, so measuring reads nothing large.
_PAGE = """
SELECT epoch.epoch, page.* FROM {epoch} LEFT JOIN (
    SELECT notification_id, originator_id, originator_version, topic, state FROM (
        SELECT *, sum(octet_length(state)) OVER (ORDER BY notification_id) - octet_length(state) AS before
        FROM (SELECT * FROM {table} WHERE notification_id > $1 ORDER BY notification_id LIMIT $2) AS candidates
    ) AS measured WHERE before < $3
) AS page ON true ORDER BY notification_id"""
_EVENT = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {table} WHERE notification_id = $1"""
_EPOCH = "SELECT epoch FROM {epoch}"
_HEAD = "SELECT coalesce(max(notification_id), 0) FROM {table}"
