"""The feed: each log in the order of its positions, the logs merged by the time of their next event.

One statement reads positions and events, so that they are of one moment, also while a rebuild puts other tables in
their place. What it shows is gap-free: a log's events are visible up to its position, whoever wrote them.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import asyncpg
from msgspec import Raw, Struct

from services.api.cursor import Cursor, Place, Stand, now
from services.api.dto.events import EventDto

_BEYOND = 2**62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Wanted(Struct, frozen=True, kw_only=True):
    """Which events. `since` is included, `until` is not. `types` is None for all."""

    workspace: str
    types: tuple[str, ...] | None = None
    library_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


class Found(Struct, frozen=True):
    """`next` is the place after `events`, which are all there are unless `more`."""

    events: list[EventDto]
    next: Cursor
    more: bool


async def stands(pool: asyncpg.Pool) -> dict[str, Stand]:
    rows = await pool.fetch(
        "SELECT p.log, p.epoch, p.position, coalesce(f.position, 0) AS floor"
        " FROM positions p LEFT JOIN event_floors f USING (log)"
    )
    return {row["log"]: Stand(row["epoch"], row["position"], row["floor"]) for row in rows}


async def one(pool: asyncpg.Pool, workspace: str, event_id: UUID) -> EventDto | None:
    row = await pool.fetchrow("SELECT * FROM events WHERE event_id = $1 AND workspace = $2", event_id, workspace)
    return _event(row) if row else None


async def after(pool: asyncpg.Pool, wanted: Wanted, cursor: Cursor, limit: int) -> Found:
    """The next events, in the order they happened. Raises Reset."""
    rows = await _rows(pool, wanted, cursor, limit, back=False)
    known = _stands(rows)
    cursor.check(known)
    events, more = _events(rows, limit)
    # Either all that matches was seen, or of each log what is shown.
    reached = (
        {event.log: event.position for event in events}
        if more
        else {log: max(stand.position, cursor.at(log)) for log, stand in known.items()}
    )
    return Found(events, _moved(cursor, known, reached), more)


async def before(pool: asyncpg.Pool, wanted: Wanted, cursor: Cursor | None, limit: int) -> Found:
    """The events before `cursor` (None: all there are), the latest first. Raises Reset."""
    rows = await _rows(pool, wanted, cursor, limit, back=True)
    known = _stands(rows)
    cursor = now(known) if cursor is None else cursor
    cursor.check(known, back=True)
    events, more = _events(rows, limit)
    reached = {event.log: event.position - 1 for event in events} if more else dict.fromkeys(known, 0)
    return Found(events, _moved(cursor, known, reached), more)


def _events(rows: Sequence[asyncpg.Record], limit: int) -> tuple[list[EventDto], bool]:
    found = [row for row in rows if row["event_id"] is not None]
    return [_event(row) for row in found[:limit]], len(found) > limit


def _stands(rows: Sequence[asyncpg.Record]) -> dict[str, Stand]:
    return {row["stands_log"]: Stand(row["epoch"], row["stands_at"], row["floor"]) for row in rows}


def _moved(cursor: Cursor, known: Mapping[str, Stand], reached: Mapping[str, int]) -> Cursor:
    return Cursor({**cursor.places, **{log: Place(known[log].digits, at) for log, at in reached.items()}})


async def _rows(
    pool: asyncpg.Pool, wanted: Wanted, cursor: Cursor | None, limit: int, *, back: bool
) -> Sequence[asyncpg.Record]:
    """A row for each event, one more than `limit` if there is one, and at least one for each log."""
    places = cursor.places if cursor else {}
    rows: Sequence[asyncpg.Record] = await pool.fetch(
        _statement(wanted, back=back),
        wanted.workspace,
        list(places),
        [place.position for place in places.values()],
        _BEYOND if cursor is None else 0,
        limit + 1,
        wanted.types,
        wanted.library_id,
        wanted.since,
        wanted.until,
        _hour(wanted.since),
        _hour(wanted.until),
    )
    return rows


def _statement(wanted: Wanted, *, back: bool) -> str:
    """Made of what is written here, never of what was asked. The table of positions comes first: a rebuild waits for
    whoever has begun with it, before it puts other tables in their place."""
    down, turn = ("DESC", "min") if back else ("", "max")
    return f"""
WITH stands AS MATERIALIZED (
    SELECT p.log, p.epoch, p.position, coalesce(f.position, 0) AS floor, coalesce(c.position, $4) AS cut
    FROM positions p LEFT JOIN event_floors f USING (log)
    LEFT JOIN unnest($2::text[], $3::bigint[]) AS c (log, position) USING (log)
),
-- An event's turn comes with those before it in its log, whatever its own clock said.
found AS (
    SELECT s.log, e.position, {turn}(e.at) OVER (PARTITION BY s.log ORDER BY e.position {down}) AS turn
    FROM stands s CROSS JOIN LATERAL ({_one_log(wanted, back=back)}) e
),
picked AS (SELECT * FROM found ORDER BY turn {down}, log {down}, position {down} LIMIT $5)
SELECT s.log AS stands_log, s.epoch, s.position AS stands_at, s.floor, e.*
FROM stands s
LEFT JOIN (picked k JOIN events e ON e.workspace = $1 AND e.log = k.log AND e.position = k.position) ON k.log = s.log
ORDER BY k.turn {down}, k.log {down}, k.position {down}
"""  # noqa: S608


def _one_log(wanted: Wanted, *, back: bool) -> str:
    """The first rows of one log. Each type is looked for on its own, so that none is found by reading past others."""
    order = f"ORDER BY e.position {'DESC' if back else ''} LIMIT $5"
    conditions = [
        "e.workspace = $1 AND e.log = s.log",
        "e.position <= least(s.cut, s.position)" if back else "e.position > s.cut AND e.position <= s.position",
        "e.library_id = $7" if wanted.library_id else "$7::uuid IS NULL",
        "e.at >= $8" if wanted.since else "$8::timestamptz IS NULL",
        "e.at < $9" if wanted.until else "$9::timestamptz IS NULL",
        _SPAN if wanted.since or wanted.until else "$10::bigint IS NULL AND $11::bigint IS NULL",
        "$6::text[] IS NULL" if wanted.types is None else "e.type = t.type",
    ]
    rows = f"SELECT e.position, e.at FROM events e WHERE {' AND '.join(conditions)} {order}"  # noqa: S608
    if wanted.types is None:
        return rows
    return f"SELECT e.* FROM unnest($6::text[]) AS t (type) CROSS JOIN LATERAL ({rows}) e {order}"  # noqa: S608


_HOURS = "event_hours h WHERE h.log = s.log AND h.hour >= coalesce($10, h.hour) AND h.hour <= coalesce($11, h.hour)"
_SPAN = (
    f"e.position >= (SELECT min(h.first_position) FROM {_HOURS})"  # noqa: S608
    f" AND e.position <= (SELECT max(h.last_position) FROM {_HOURS})"
)


def _hour(at: datetime | None) -> int | None:
    return None if at is None else (at - _EPOCH) // timedelta(hours=1)


def _event(row: asyncpg.Record) -> EventDto:
    data = row["data"]
    return EventDto(
        id=row["event_id"],
        type=row["type"],
        log=row["log"],
        position=row["position"],
        time=row["at"],
        workspace=row["workspace"],
        actor=row["actor"],
        aggregate=row["aggregate"],
        aggregate_id=row["aggregate_id"],
        version=row["version"],
        library_id=row["library_id"],
        correlation_id=row["correlation_id"],
        causation_id=row["causation_id"],
        data=None if data is None else cast(Any, Raw(data.encode())),
        data_bytes=row["data_bytes"] if data is None else None,
    )
