"""A tail reader never misses an event: commit order is position order. With a control that shows what it would miss."""

import asyncio
from uuid import uuid4

import asyncpg
import psycopg
from eventsourcing.persistence import StoredEvent

from linstock import names
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.recorder import LogDatastore, LogRecorder
from tests.support.diary import notes, origin
from tests.support.waiting import becomes

WRITERS = 4
APPENDS = 40


async def test_a_tail_reader_sees_every_event_of_racing_processes(log: PostgresLog, database_url: str) -> None:
    logs = [log, *[await PostgresLog.open(names.LIBRARY, database_url) for _ in range(WRITERS - 1)]]
    written = asyncio.gather(*(_write(each) for each in logs))

    seen: list[int] = []
    while len(seen) < WRITERS * APPENDS:
        seen += [event.position for event in await log.read(seen[-1] if seen else 0, limit=7)]
        if written.done() and await log.last_position() == (seen[-1] if seen else 0):
            break

    appended = sorted(position for positions in await written for position in positions)
    assert seen == appended
    assert len(seen) == WRITERS * APPENDS
    for other in logs[1:]:
        await other.close()


async def _write(log: PostgresLog) -> list[int]:
    positions = []
    for number in range(APPENDS):
        positions += [event.position for event in await log.append([notes(uuid4(), str(number))], origin())]
    return positions


class WithoutLock(LogRecorder):
    def _lock_table(self, curs: psycopg.Cursor[psycopg.rows.DictRow]) -> None:
        del curs


def _slow_insert(dsn: str, recorder: type[LogRecorder]) -> psycopg.Connection[tuple[object, ...]]:
    """Begins as the recorder does, inserts, and is then slow to commit: the transaction is returned, open."""
    datastore = LogDatastore(dsn, schema=names.LIBRARY, pool_size=1)
    connection = psycopg.connect(dsn)
    try:
        recorder(datastore)._lock_table(connection.cursor())  # type: ignore[arg-type]
        connection.execute(
            "INSERT INTO library.stored_events (originator_id, originator_version, topic) VALUES (%s, 1, %s)",
            (uuid4(), "slow"),
        )
    finally:
        datastore.close()
    return connection


async def _visible(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch("SELECT topic FROM library.stored_events ORDER BY notification_id")
    return [row["topic"] for row in rows]


async def test_control_without_the_lock_a_later_position_shows_first(
    log: PostgresLog, connection: asyncpg.Connection, database_url: str
) -> None:
    slow = await asyncio.to_thread(_slow_insert, database_url, WithoutLock)

    await asyncio.to_thread(_insert, database_url, WithoutLock, "fast")

    assert await _visible(connection) == ["fast"]  # a tail reader moves on to its position …
    slow.commit()
    slow.close()
    assert await _visible(connection) == ["slow", "fast"]  # … and never looks behind it


async def test_with_the_lock_nothing_shows_before_an_earlier_position(
    log: PostgresLog, connection: asyncpg.Connection, database_url: str
) -> None:
    slow = await asyncio.to_thread(_slow_insert, database_url, LogRecorder)
    fast = asyncio.create_task(asyncio.to_thread(_insert, database_url, LogRecorder, "fast"))

    await becomes(lambda: _waiting_for_the_lock(connection), expected=1)
    assert await _visible(connection) == []
    slow.commit()
    slow.close()

    await fast
    assert await _visible(connection) == ["slow", "fast"]


def _insert(dsn: str, recorder: type[LogRecorder], topic: str) -> None:
    datastore = LogDatastore(dsn, schema=names.LIBRARY, pool_size=1)
    recorder(datastore).append([StoredEvent(uuid4(), 1, topic, b"{}")], (), None)
    datastore.close()


async def _waiting_for_the_lock(connection: asyncpg.Connection) -> int:
    count: int = await connection.fetchval(
        """SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
    )
    return count
