"""The eventsourcing library's Postgres recorder, with an advisory lock in place of its table lock.

The lock keeps commit order equal to position order, so a tail reader never misses an event; unlike a table lock it does
not queue behind autovacuum. Everything here blocks: call it in a thread.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import DatabaseError, IntegrityError, Notification, StoredEvent
from eventsourcing.postgres import ConnectionPool, PostgresApplicationRecorder, PostgresDatastore
from psycopg import Connection, Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row
from psycopg.sql import SQL, Identifier, Literal
from psycopg.types.numeric import Int8

from linstock.eventlog.record import FutureInstant, VersionConflict
from linstock.migrations import advisory_key

TABLE = "stored_events"
LOCK_TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 5
FUTURE_INSTANT = "LS001"
VERSION_AHEAD = "LS002"


class NoEpoch(Exception):
    """The log's epoch row was deleted; restore it from a backup or run `linstock events republish`."""

    def __init__(self, log: str) -> None:
        super().__init__(f"{self.__doc__} Log: {log}.")
        self.log = log


Expected = Sequence[tuple[UUID, int]]


class LogDatastore(PostgresDatastore):
    """A pool for one log. Takes any libpq connection string, which the library's own does not."""

    def __init__(self, dsn: str, *, schema: str, pool_size: int) -> None:
        super().__init__("", "", "", "", "", schema=schema, lock_timeout=LOCK_TIMEOUT_S)
        self.pool.close()
        given = {"connect_timeout": CONNECT_TIMEOUT_S, **conninfo_to_dict(dsn)}
        # After a failed pipeline psycopg would believe that the skipped statements were prepared.
        unprepared = {"prepare_threshold": None, "row_factory": dict_row}
        self.pool = ConnectionPool(
            connection_class=Connection[DictRow],
            kwargs={**given, **unprepared},
            min_size=1,
            max_size=pool_size,
            open=False,
            configure=self.after_connect_func(),
            timeout=CONNECT_TIMEOUT_S,
            num_workers=1,
        )


class LogRecorder(PostgresApplicationRecorder):
    """Guarantees: the events of one insert are all or nothing and stand together; ids rise in commit order."""

    def __init__(self, datastore: PostgresDatastore, *, events_table_name: str = TABLE) -> None:
        super().__init__(datastore, events_table_name=events_table_name)
        # The library's SQL function inserts without any lock: a tail reader would miss events.
        del self.sql_create_statements[self.create_insert_function_statement_index]
        self.channel_name = channel_of(datastore.schema)
        self.lock_table_statements = [
            SQL("SELECT set_config('lock_timeout', {0}, true), pg_advisory_xact_lock({1})").format(
                Literal(f"{datastore.lock_timeout}s"), Literal(advisory_key("append", datastore.schema))
            ),
        ]
        self.server_pid = 0  # of the server process that inserted last
        schema = Identifier(datastore.schema)
        # The library's own takes rows of a composite type, which psycopg can only write as text: three times the work
        # for a page of half a MiB.
        self.insert_events_statement = SQL(
            "INSERT INTO {0}.{1} (originator_id, originator_version, topic, state) "
            "SELECT * FROM unnest(%b::uuid[], %b::int8[], %b::text[], %b::bytea[]) RETURNING notification_id"
        ).format(schema, Identifier(events_table_name))
        self._check = SQL("SELECT {0}.check_append(%s, %s, %s)").format(schema)
        self._select_epoch = SQL("SELECT epoch FROM {0}.epoch").format(schema)
        self._select_first = SQL(
            "SELECT originator_id, notification_id, topic, state FROM {0}.{1} "
            "WHERE originator_id = ANY(%s) AND originator_version = 1"
        ).format(schema, Identifier(events_table_name))
        self._select_aggregate = SQL(
            "SELECT notification_id, originator_version, topic, state FROM {0}.{1} "
            "WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version"
        ).format(schema, Identifier(events_table_name))

    # The library tries these ten times, which may take minutes in a thread; PostgresLog tries again by itself.
    select_notifications = PostgresApplicationRecorder.select_notifications.__wrapped__
    max_notification_id = PostgresApplicationRecorder.max_notification_id.__wrapped__

    def append(self, events: Sequence[StoredEvent], expected: Expected, not_before: datetime | None) -> Sequence[int]:
        """The new positions. `expected` names the last version of each aggregate that must exist already.

        Raises VersionConflict and FutureInstant. After any other error the events may have been inserted: this does
        not try again, unlike the library's `insert_events`, so that a conflict is always somebody else's append.
        """
        try:
            return self._append(events, expected, not_before)
        except IntegrityError as error:
            raise VersionConflict(_ids(events)) from error
        except DatabaseError as error:
            _raise_refusal(error, events)
            raise

    def _append(self, events: Sequence[StoredEvent], expected: Expected, not_before: datetime | None) -> Sequence[int]:
        # Statements of one pipeline are one transaction, which its end commits: one round trip, where the library's
        # BEGIN … COMMIT takes two and holds the lock for longer.
        with self.datastore.get_connection() as connection:
            assert connection.autocommit
            inserted = connection.cursor()
            with connection.pipeline(), connection.cursor() as check:
                self._insert_events(check, events, expected=expected, not_before=not_before)
                self._insert_stored_events(inserted, events)
            return [row["notification_id"] for row in inserted.fetchall()]

    def first_of(self, aggregate_ids: Sequence[UUID]) -> Sequence[Notification]:
        """The first event of each."""
        with self.datastore.get_connection() as connection:
            rows = connection.execute(self._select_first, (list(aggregate_ids),), prepare=True).fetchall()
        return [
            Notification(row["originator_id"], 1, row["topic"], row["state"], row["notification_id"]) for row in rows
        ]

    def load(self, aggregate_id: UUID, *, after: int) -> Sequence[Notification]:
        """The aggregate's events with their positions (the library's `select_events` has none)."""
        with self.datastore.get_connection() as connection:
            rows = connection.execute(self._select_aggregate, (aggregate_id, after), prepare=True).fetchall()
        return [
            Notification(aggregate_id, row["originator_version"], row["topic"], row["state"], row["notification_id"])
            for row in rows
        ]

    def epoch(self) -> UUID:
        """Raises NoEpoch."""
        with self.datastore.get_connection() as connection:
            row = connection.execute(self._select_epoch).fetchone()
        if row is None:
            raise NoEpoch(self.datastore.schema)
        epoch: UUID = row["epoch"]
        return epoch

    def _insert_events(
        self,
        curs: Cursor[DictRow],
        stored_events: Sequence[StoredEvent],  # noqa: ARG002  # the library's signature
        **kwargs: Any,
    ) -> None:
        self.server_pid = curs.connection.info.backend_pid
        expected, not_before = kwargs.get("expected") or (), kwargs.get("not_before")
        if expected or not_before:
            ids, versions = [each for each, _ in expected], [version for _, version in expected]
            curs.execute(self._check, (not_before, ids, versions), prepare=True)

    def _insert_stored_events(
        self,
        curs: Cursor[DictRow],
        stored_events: Sequence[StoredEvent],
        **_: Any,
    ) -> None:
        self._lock_table(curs)
        self._notify_channel(curs)
        columns = (
            [event.originator_id for event in stored_events],
            [Int8(event.originator_version) for event in stored_events],
            [event.topic for event in stored_events],
            [event.state for event in stored_events],
        )
        curs.execute(self.insert_events_statement, columns)


def channel_of(schema: str) -> str:
    """The NOTIFY channel that says a log has grown."""
    return f"{schema}_events"


def _raise_refusal(error: DatabaseError, events: Sequence[StoredEvent]) -> None:
    state = error.__cause__.sqlstate if isinstance(error.__cause__, psycopg.Error) else None
    if state == FUTURE_INSTANT:
        raise FutureInstant(str(error)) from error
    if state == VERSION_AHEAD:
        raise VersionConflict(_ids(events)) from error


def _ids(events: Sequence[StoredEvent]) -> list[UUID]:
    return [event.originator_id for event in events if isinstance(event.originator_id, UUID)]
