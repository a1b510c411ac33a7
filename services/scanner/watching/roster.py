"""Which libraries are to be watched, and by which replica: rows in the scanner's schema."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import Struct

from linstock.eventlog.record import Recorded
from linstock.messages.library import LibraryDeleted, LibraryEvent, Settings
from services.scanner.folders import Pool

_EVENTS: msgspec.json.Decoder[LibraryEvent] = msgspec.json.Decoder(LibraryEvent)

_DELETED = b"{}"  # no library has such settings
_PUT = """
INSERT INTO watched_libraries AS known (library_id, workspace, version, watch, settings) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (library_id) DO UPDATE SET version = excluded.version, watch = excluded.watch, settings = excluded.settings
WHERE known.version < excluded.version"""
# A lease that ends far ahead was given before the clock was set back.
_LEASE = """
UPDATE watched_libraries SET replica = $1, until = clock_timestamp() + make_interval(secs => $2::float8)
WHERE library_id IN (
    SELECT library_id FROM watched_libraries WHERE watch AND (
        replica = $1 OR replica IS NULL
        OR until NOT BETWEEN clock_timestamp() AND clock_timestamp() + make_interval(secs => 2 * $2::float8)
    ) FOR UPDATE SKIP LOCKED
) RETURNING library_id, workspace, settings"""


class Watched(Struct, frozen=True):
    library_id: UUID
    workspace: str
    settings: Settings


class Roster:
    """On a pool whose search path is the scanner's schema."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def react(self, recorded: Recorded) -> None:
        """Any library event, in any order, any number of times."""
        event = _EVENTS.decode(recorded.data)
        watch = not isinstance(event, LibraryDeleted) and event.settings.watch
        settings = _DELETED if isinstance(event, LibraryDeleted) else msgspec.json.encode(event.settings)
        await self._pool.execute(_PUT, event.library_id, recorded.workspace, recorded.version, watch, settings)

    async def deleted(self) -> set[UUID]:
        """Libraries that are no more."""
        query = "SELECT library_id FROM watched_libraries WHERE settings = $1"
        rows = await self._pool.fetch(query, _DELETED)
        return {UUID(bytes=row["library_id"].bytes) for row in rows}

    async def lease(self, replica: UUID, lease_s: float) -> Sequence[Watched]:
        """What this replica watches for the next `lease_s`: what it watched so far, and what nobody does."""
        rows = await self._pool.fetch(_LEASE, replica, lease_s)
        return [
            Watched(
                UUID(bytes=row["library_id"].bytes),
                row["workspace"],
                msgspec.json.decode(row["settings"], type=Settings),
            )
            for row in rows
        ]

    async def leave(self, replica: UUID) -> None:
        """Others need not wait for its leases to end."""
        await self._pool.execute("UPDATE watched_libraries SET replica = NULL WHERE replica = $1", replica)
