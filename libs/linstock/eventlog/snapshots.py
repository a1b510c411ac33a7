"""The newest snapshot of each aggregate, beside the log. Blocking: call it in a thread."""

from uuid import UUID

from eventsourcing.postgres import PostgresDatastore
from psycopg.sql import SQL, Identifier

from linstock.eventlog.log import Snapshot


class SnapshotTable:
    def __init__(self, datastore: PostgresDatastore) -> None:
        self._datastore = datastore
        schema = Identifier(datastore.schema)
        self._select = SQL("SELECT version, shape, state FROM {0}.snapshots WHERE aggregate_id = %s").format(schema)
        self._upsert = SQL(
            "INSERT INTO {0}.snapshots AS old (aggregate_id, version, shape, state) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (aggregate_id) DO UPDATE "
            "SET version = excluded.version, shape = excluded.shape, state = excluded.state "
            "WHERE old.version <= excluded.version"
        ).format(schema)

    def get(self, aggregate_id: UUID) -> Snapshot | None:
        with self._datastore.get_connection() as connection:
            row = connection.execute(self._select, (aggregate_id,), prepare=True).fetchone()
        return Snapshot(version=row["version"], shape=row["shape"], state=bytes(row["state"])) if row else None

    def put(self, aggregate_id: UUID, snapshot: Snapshot) -> None:
        """Keeps what is stored when that is newer."""
        values = (aggregate_id, snapshot.version, snapshot.shape, snapshot.state)
        with self._datastore.get_connection() as connection:
            connection.execute(self._upsert, values, prepare=True)
