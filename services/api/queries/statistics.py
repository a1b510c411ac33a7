"""What there is and what was done, from counters: nothing here looks at collections or runs."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.api.dto.statistics import ContentDay, Growth, GrowthDto, RunDay, StatisticsDto
from services.api.queries import blocks
from services.api.queries.schedules import next_run

_WEEK, _MONTH = 7, 30

_CONTENTS = """
    SELECT coalesce(sum(c.collections) FILTER (WHERE c.state = 'present'), 0)::bigint AS collections,
        coalesce(sum(c.collections) FILTER (WHERE c.state = 'missing'), 0)::bigint AS missing_collections,
        coalesce(sum(c.images) FILTER (WHERE c.state = 'present'), 0)::bigint AS images,
        coalesce(sum(c.size_bytes) FILTER (WHERE c.state = 'present'), 0)::bigint AS size_bytes
    FROM contents c LEFT JOIN libraries l USING (library_id)
    WHERE c.workspace = $1 AND ($2::uuid IS NULL OR c.library_id = $2) AND l.deleted_at IS NULL
"""
_CONTENT_DAYS = """
    SELECT d.day, sum(d.collections)::bigint AS collections, sum(d.images)::bigint AS images,
        sum(d.size_bytes)::bigint AS size_bytes
    FROM content_days d LEFT JOIN libraries l USING (library_id)
    WHERE d.workspace = $1 AND ($2::uuid IS NULL OR d.library_id = $2) AND d.day > $3 AND l.deleted_at IS NULL
    GROUP BY d.day
"""
_TOTALS = "SELECT * FROM run_totals WHERE scope = $1"
_RUN_DAYS = "SELECT day, runs, successes, failures FROM run_days WHERE scope = $1 AND day > $2"
_HELD = """
    SELECT coalesce(sum(h.count), 0)::bigint FROM holds h LEFT JOIN libraries l USING (library_id)
    WHERE h.workspace = $1 AND h.state = 'held' AND ($2::uuid IS NULL OR h.library_id = $2) AND l.deleted_at IS NULL
"""
_READ = """
    SELECT coalesce(sum(r.collections), 0)::bigint AS read_collections, coalesce(sum(r.covers), 0)::bigint AS covers,
        coalesce(sum(r.quarantined), 0)::bigint AS quarantined_files
    FROM read_counts r LEFT JOIN libraries l USING (library_id)
    WHERE r.workspace = $1 AND ($2::uuid IS NULL OR r.library_id = $2) AND l.deleted_at IS NULL
"""
_SCHEDULES = """
    SELECT DISTINCT s.expression, s.zone, s.days, s.clock_changes, s.rules, s.cursor, s.enabled, s.paused_at,
        s.resume_at
    FROM schedules s LEFT JOIN libraries l USING (library_id)
    WHERE s.workspace = $1 AND s.enabled AND s.deleted_at IS NULL AND l.deleted_at IS NULL
    AND ($2::uuid IS NULL OR s.library_id = $2)
"""


async def of(pool: asyncpg.Pool, workspace: str, library_id: UUID | None, days: int, now: datetime) -> StatisticsDto:
    """Of one library, or of all that are not deleted (`library_id` None); the runs then are all that ever were."""
    scope = blocks.of_library(workspace, library_id) if library_id else blocks.of_workspace(workspace)
    today, whose = now.date(), (workspace, library_id)
    since = today - timedelta(days=days)
    async with pool.acquire() as connection:
        contents = _plain(await connection.fetchrow(_CONTENTS, *whose))
        content_days = await connection.fetch(_CONTENT_DAYS, *whose, min(since, today - timedelta(days=_MONTH)))
        totals = _plain(await connection.fetchrow(_TOTALS, scope.name))
        run_days = await connection.fetch(_RUN_DAYS, scope.name, since)
        held = await connection.fetchval(_HELD, *whose)
        read = _plain(await connection.fetchrow(_READ, *whose))
        schedules = await connection.fetch(_SCHEDULES, *whose)
    return StatisticsDto(
        library_id=library_id,
        growth=_growth({row["day"]: row for row in content_days}, days, today),
        run_days=_run_days({row["day"]: row for row in run_days}, days, today),
        next_run_at=min((at for row in schedules if (at := next_run(row, now))), default=None),
        held_removals=held,
        **contents,
        **read,
        **_runs(totals),
    )


def _plain(row: asyncpg.Record | None) -> dict[str, Any]:
    return dict(row) if row else {}


def _runs(totals: Mapping[str, Any]) -> dict[str, Any]:
    successes, failures = totals.get("success_count", 0), totals.get("failure_count", 0)
    ended = successes + failures
    return {
        "runs": totals.get("run_count", 0),
        "successes": successes,
        "failures": failures,
        "success_rate": round(100 * successes / ended, 1) if ended else None,
        "last_run_id": totals.get("last_job_id"),
        "last_run_at": totals.get("last_run_at"),
        "last_run_status": totals.get("last_run_status"),
        "last_error_message": totals.get("last_error_message"),
    }


def _growth(known: Mapping[date, Any], days: int, today: date) -> GrowthDto:
    return GrowthDto(
        days=[ContentDay(day=day, **_sum(known, [day])) for day in _last(days, today)],
        last_7_days=Growth(**_sum(known, _last(_WEEK, today))),
        last_30_days=Growth(**_sum(known, _last(_MONTH, today))),
    )


def _sum(known: Mapping[date, Any], days: list[date]) -> dict[str, int]:
    rows = [known[day] for day in days if day in known]
    return {column: sum(row[column] for row in rows) for column in ("collections", "images", "size_bytes")}


def _run_days(known: Mapping[date, Any], days: int, today: date) -> list[RunDay]:
    found = []
    for day in _last(days, today):
        runs, successes, failures = known[day][1:] if day in known else (0, 0, 0)
        found.append(RunDay(day=day, runs=runs, successes=successes, failures=failures))
    return found


def _last(days: int, today: date) -> list[date]:
    """Ascending, ending with today."""
    return [today - timedelta(days=back) for back in reversed(range(days))]
