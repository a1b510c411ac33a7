"""Where a page of runs begins. Kept runs are counted per block of ordinals (`run_counts`), large ones and small ones.
A total is a sum over the large; a page is found by adding large ones up from the newest, then the small ones in one of
them: it costs the same wherever it is, however long the history. Ordinals may have holes, where runs were forgotten;
counts have none.
"""

from uuid import UUID

import asyncpg
from msgspec import Struct

from linstock.messages.job import APART
from services.api.paging import Window

SCHEDULER = "Scheduler"


class Scope(Struct, frozen=True):
    """Whose runs: `column` of a job is `value`, and `ordinal` is where it numbers them. `name` is what the projection
    calls it (views/scopes.py there); it begins with the workspace, so nobody reaches another's. What comes by itself is
    numbered `apart`, type by type, and is in a list only when it is asked for."""

    name: str
    column: str
    ordinal: str
    value: UUID | str
    apart: str | None = None


class Wanted(Struct, frozen=True):
    """None: any."""

    status: str | None = None
    triggered_by: str | None = None


class Start(Struct, frozen=True):
    """`total` runs are wanted. The page begins `skip` of them into those with ordinals under `below`; None: beyond the
    last page."""

    total: int
    below: int | None
    skip: int


def of_workspace(workspace: str, *, apart: str | None = None) -> Scope:
    return Scope(_named(workspace, apart), "workspace", "ordinal", workspace, apart)


def of_schedule(workspace: str, schedule_id: UUID) -> Scope:
    return Scope(f"{workspace}/{schedule_id}", "schedule_id", "schedule_ordinal", schedule_id)


def of_library(workspace: str, library_id: UUID, *, apart: str | None = None) -> Scope:
    name = f"{_named(workspace, apart)}/{library_id}"
    return Scope(name, "library_id", "library_ordinal", library_id, apart)


def _named(workspace: str, apart: str | None) -> str:
    return f"{workspace}/{apart}" if apart else workspace


_LARGE, _SMALL = 65_536, 1024  # as the projection makes them (views/run_counts.py there)
_COUNTED = "scope = $1 AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR triggered_by = $3)"
# The newest block with which more than `skip` runs are reached, and how many are in those before it.
_FOUND = """
    SELECT below, reached - runs AS before FROM (
        SELECT below, sum(runs)::bigint AS runs, (sum(sum(runs)) OVER (ORDER BY below DESC))::bigint AS reached
        FROM {counts} GROUP BY below
    ) AS blocks WHERE reached > {skip} ORDER BY below DESC LIMIT 1
"""
_START = f"""
WITH large AS MATERIALIZED (
    SELECT below, runs FROM run_counts WHERE {_COUNTED} AND size = {_LARGE}
), part AS MATERIALIZED ({_FOUND.format(counts="large", skip="$4")}), small AS (
    SELECT below, runs FROM run_counts
    WHERE {_COUNTED} AND size = {_SMALL}
        AND below <= (SELECT below FROM part) AND below > (SELECT below - {_LARGE} FROM part)
), found AS ({_FOUND.format(counts="small", skip="$4 - (SELECT before FROM part)")})
SELECT (SELECT coalesce(sum(runs), 0)::bigint FROM large) AS total, part.before + found.before AS before, found.below
FROM (VALUES (1)) AS one (row) LEFT JOIN (part CROSS JOIN found) ON true
"""  # noqa: S608  # our own constants


async def start(pool: asyncpg.Pool, scope: Scope, wanted: Wanted, window: Window) -> Start:
    row = await pool.fetchrow(_START, scope.name, wanted.status, wanted.triggered_by, window.offset)
    assert row is not None  # the one row, whatever is joined to it
    skip = 0 if row["below"] is None else window.offset - row["before"]
    return Start(row["total"], row["below"], skip)


async def rows(
    pool: asyncpg.Pool, select: str, scope: Scope, wanted: Wanted, window: Window
) -> tuple[list[asyncpg.Record], int]:
    """A page of runs, the newest first, and how many there are. `select` is a query of our own that reads the page's
    jobs as `j`, wherever it says {jobs}."""
    first = await start(pool, scope, wanted, window)
    if first.below is None:
        return [], first.total
    conditions = [f"{scope.column} = $1", f"{scope.ordinal} < $2"]
    types = [f"job_type = '{scope.apart}'"] if scope.apart else [f"job_type <> '{each}'" for each in APART]
    conditions += types
    values: list[object] = [scope.value, first.below, window.size, first.skip]
    for column, value in (("status", wanted.status), ("triggered_by", wanted.triggered_by)):
        if value is not None:
            values.append(value)
            conditions.append(f"{column} = ${len(values)}")
    if wanted.triggered_by not in (None, SCHEDULER):
        conditions.append(f"triggered_by <> '{SCHEDULER}'")  # what the partial indexes are about
    jobs = (
        f"(SELECT * FROM jobs WHERE {' AND '.join(conditions)}"  # noqa: S608  # our own columns
        f" ORDER BY {scope.ordinal} DESC LIMIT $3 OFFSET $4) j"
    )
    return await pool.fetch(f"{select.format(jobs=jobs)} ORDER BY j.ordinal DESC", *values), first.total
