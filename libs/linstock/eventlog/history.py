"""A log in Postgres as tools read it: over one asyncpg connection, without opening the log."""

from uuid import UUID

import asyncpg

from linstock.eventlog.record import Recorded
from linstock.eventlog.recorder import TABLE, NoEpoch, channel_of
from linstock.eventlog.stored import recorded
from linstock.migrations import quoted


async def logs_in(connection: asyncpg.Connection) -> list[str]:
    """The names of all logs in a database."""
    rows = await connection.fetch(
        """SELECT table_schema FROM information_schema.tables WHERE table_name IN ('epoch', 'stored_events')
        GROUP BY table_schema HAVING count(*) = 2 ORDER BY table_schema"""
    )
    return [row["table_schema"] for row in rows]


class History:
    def __init__(self, connection: asyncpg.Connection, log: str) -> None:
        self.log = log
        self._connection = connection
        self._table = f"{quoted(log)}.{TABLE}"
        self._epoch = f"{quoted(log)}.epoch"

    async def epoch(self) -> UUID:
        """Raises NoEpoch."""
        epoch: UUID | None = await self._connection.fetchval(_EPOCH.format(epoch=self._epoch))
        if epoch is None:
            raise NoEpoch(self.log)
        return epoch

    async def renew_epoch(self) -> UUID:
        """From here on every position means something else; the log's relay notices with its next read."""
        async with self._connection.transaction():
            await self._connection.execute("SELECT pg_notify($1, '')", channel_of(self.log))
            epoch: UUID = await self._connection.fetchval(_RENEW.format(epoch=self._epoch))
        return epoch

    async def between(self, after: int, last: int) -> list[Recorded]:
        """Events after position `after` up to and including `last`."""
        rows = await self._connection.fetch(_BETWEEN.format(table=self._table), after, last)
        return [recorded(self.log, *row) for row in rows]

    async def count(self, after: int) -> int:
        count: int = await self._connection.fetchval(_COUNT.format(table=self._table), after)
        return count


_EPOCH = "SELECT epoch FROM {epoch}"
_RENEW = """
INSERT INTO {epoch} DEFAULT VALUES
ON CONFLICT (single) DO UPDATE SET epoch = excluded.epoch, since = excluded.since RETURNING epoch"""
_BETWEEN = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {table}
WHERE notification_id > $1 AND notification_id <= $2 ORDER BY notification_id"""
_COUNT = "SELECT count(*) FROM {table} WHERE notification_id > $1"
