"""Collections, as stored. Totals are sums of counters; only a text filter looks at the rows to count them."""

from typing import get_args
from uuid import UUID

import asyncpg
from msgspec import UNSET, Struct
from msgspec.structs import replace

from services.api.dto.collections import CollectionDto, CollectionSort, CoverDto, MoveDto
from services.api.dto.wire import Page
from services.api.paging import Window

_COLUMNS = {
    "path": 'c.path COLLATE "C"',
    "name": 'c.name COLLATE "C"',
    "imageCount": "c.image_count",
    "bytes": "c.size_bytes",
    "recordedAt": "c.recorded_at",
}
assert {f"{sign}{name}" for name in _COLUMNS for sign in ("", "-")} == set(get_args(CollectionSort))

# The root has no name of its own: it is the library. A deleted library's are not shown; one that was not heard of yet
# (another log) is none of those.
COLLECTION_COLUMNS = """
    c.collection_id, c.library_id, coalesce(nullif(c.name, ''), l.name, '') AS name, c.path, c.kind, c.image_count,
    c.size_bytes, c.state, c.path_bytes, c.recorded_at, c.missing_since, v.hash, v.width, v.height
"""
_SELECT = f"SELECT {COLLECTION_COLUMNS}"
COLLECTION_JOINS = """
    LEFT JOIN libraries l ON l.library_id = c.library_id LEFT JOIN covers v ON v.collection_id = c.collection_id
"""
_FROM = f" FROM collections c {COLLECTION_JOINS}"
_SHOWN = """
    c.workspace = $1 AND c.state <> 'withdrawn'
    AND c.library_id NOT IN (SELECT library_id FROM libraries WHERE workspace = $1 AND deleted_at IS NOT NULL)
"""

_TOTAL = f"""
    SELECT coalesce(sum(c.collections), 0)::bigint FROM contents c
    WHERE {_SHOWN} AND ($2::uuid IS NULL OR c.library_id = $2)
        AND ($3::text IS NULL OR c.state = $3) AND ($4::text IS NULL OR c.kind = $4)
"""  # noqa: S608


# Under all ids that it had, in whatever libraries.
_MOVES = """
    WITH RECURSIVE one AS (
        SELECT $2::uuid AS collection_id
        UNION SELECT c.collection_id FROM collections c JOIN one ON c.moved_to = one.collection_id
    )
    SELECT m.* FROM collection_moves m JOIN one USING (collection_id)
    WHERE m.workspace = $1 ORDER BY m.at DESC, m.ordinal DESC LIMIT 100
"""
_MOVED_TO = "SELECT moved_to FROM collections WHERE workspace = $1 AND collection_id = $2 AND state = 'withdrawn'"
MOST_LIBRARIES = 16
"""That one collection is followed through."""


class Wanted(Struct, frozen=True):
    """None and "": any. `text` is part of the path, in any letter case."""

    library_id: UUID | None = None
    state: str | None = None
    kind: str | None = None
    text: str = ""


async def one(pool: asyncpg.Pool, workspace: str, collection_id: UUID) -> CollectionDto | None:
    """With its path history; also by an id that it had in another library."""
    query = f"{_SELECT} {_FROM} WHERE {_SHOWN} AND c.collection_id = $2"
    for _ in range(MOST_LIBRARIES):
        if row := await pool.fetchrow(query, workspace, collection_id):
            break
        moved_to: UUID | None = await pool.fetchval(_MOVED_TO, workspace, collection_id)
        if moved_to is None:
            return None
        collection_id = moved_to
    else:
        return None
    moves = await pool.fetch(_MOVES, workspace, collection_id)
    return replace(collection_of(row), path_history=[_move(move) for move in moves])


async def page(
    pool: asyncpg.Pool, workspace: str, wanted: Wanted, sort: CollectionSort, window: Window
) -> Page[CollectionDto]:
    if wanted.text:
        return await _search(pool, workspace, wanted, sort, window)
    total: int = await pool.fetchval(_TOTAL, workspace, wanted.library_id, wanted.state, wanted.kind)
    stretch = window.stretch(total)
    if not stretch.size:
        return window.of([], total)
    where, values = _where(workspace, wanted)
    size, skip = _numbered(values, stretch.size, stretch.skip)
    order = _order(sort, backwards=stretch.from_end)
    # Only what the indexes hold decides which rows are shown: those that are passed are not looked at.
    query = f"""
        {_SELECT} {_FROM} WHERE c.collection_id = ANY (ARRAY (
            SELECT c.collection_id FROM collections c WHERE {where}
            ORDER BY {order} LIMIT {size} OFFSET {skip}
        )) ORDER BY {order}
    """  # noqa: S608  # our own columns
    rows = await pool.fetch(query, *values)
    return window.of([collection_of(row) for row in (reversed(rows) if stretch.from_end else rows)], total)


async def _search(
    pool: asyncpg.Pool, workspace: str, wanted: Wanted, sort: CollectionSort, window: Window
) -> Page[CollectionDto]:
    """Looks at every collection once, for the page and for how many there are."""
    where, values = _where(workspace, wanted)
    size, skip = _numbered(values, window.size, window.offset)
    order = _order(sort, backwards=False)
    key = _COLUMNS[sort.removeprefix("-")]
    query = f"""
        WITH found AS MATERIALIZED (
            SELECT c.collection_id, {key} AS key FROM collections c WHERE {where}
        ), page AS MATERIALIZED (
            SELECT * FROM found c ORDER BY {_order(sort, backwards=False, key="c.key")}
            LIMIT {size} OFFSET {skip}
        )
        {_SELECT}, counted.total FROM (SELECT count(*) AS total FROM found) AS counted
        LEFT JOIN page ON true LEFT JOIN collections c ON c.collection_id = page.collection_id {COLLECTION_JOINS}
        ORDER BY {order}
    """  # noqa: S608  # our own columns
    rows = await pool.fetch(query, *values)
    return window.of([collection_of(row) for row in rows if row["collection_id"]], rows[0]["total"])


def _where(workspace: str, wanted: Wanted) -> tuple[str, list[object]]:
    conditions, values = [_SHOWN], list[object]([workspace])
    filters = (
        ("c.library_id = {}", wanted.library_id),
        ("c.state = {}", wanted.state),
        ("c.kind = {}", wanted.kind),
        ('strpos(c.folded COLLATE "C", {}) > 0', wanted.text.casefold() if wanted.text else None),
    )
    for condition, value in filters:
        if value is not None:
            conditions.append(condition.format(*_numbered(values, value)))
    return " AND ".join(conditions), values


def _numbered(values: list[object], *more: object) -> list[str]:
    """Adds `more` to the values of a query; what they are called in it."""
    values += more
    return [f"${number}" for number in range(len(values) - len(more) + 1, len(values) + 1)]


def _order(sort: CollectionSort, *, backwards: bool, key: str | None = None) -> str:
    descending = sort.startswith("-") != backwards
    direction = "DESC" if descending else "ASC"
    return f"{key or _COLUMNS[sort.removeprefix('-')]} {direction}, c.collection_id {direction}"


def collection_of(row: asyncpg.Record) -> CollectionDto:
    return CollectionDto(
        id=row["collection_id"],
        library_id=row["library_id"],
        name=row["name"],
        path=row["path"],
        kind=row["kind"],
        image_count=row["image_count"],
        size_bytes=row["size_bytes"],
        state=row["state"],
        path_bytes=UNSET if row["path_bytes"] is None else row["path_bytes"],
        recorded_at=row["recorded_at"],
        missing_since=row["missing_since"],
        cover=_cover(row),
    )


def _move(row: asyncpg.Record) -> MoveDto:
    return MoveDto(
        from_=row["from_path"],
        to=row["to_path"],
        at=row["at"],
        scan_id=row["scan_id"],
        undone=row["undone"],
        from_library_id=row["from_library_id"],
        from_bytes=UNSET if row["from_path_bytes"] is None else row["from_path_bytes"],
        to_bytes=UNSET if row["to_path_bytes"] is None else row["to_path_bytes"],
    )


def _cover(row: asyncpg.Record) -> CoverDto | None:
    if row["hash"] is None:
        return None
    url = f"/api/v1/collections/{row['collection_id']}/cover?hash={row['hash']}"
    return CoverDto(url=url, width=row["width"], height=row["height"], hash=row["hash"])
