"""Instants that were made up for on request, as stored."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.api.dto.ticks import BackfilledTickDto, Order

MOST = 200
"""Of one span, without a verdict."""
_WITHIN = 1_000
_BACKFILLS = """
    SELECT b.instant, b.backfilled_at, b.backfilled_by, b.job_id, b.version, j.status
    FROM backfills b LEFT JOIN jobs j ON j.job_id = b.job_id
    WHERE b.schedule_id = $1
"""
# The first entry that ends at the instant or later is the only one that may hold it.
_WITHOUT_VERDICT = """
    coalesce(b.instant >= $2, true) AND coalesce(b.instant < $3, true) AND NOT EXISTS (
        SELECT FROM (
            SELECT first FROM ticks t WHERE t.schedule_id = $1 AND t.last >= b.instant ORDER BY t.last LIMIT 1
        ) entry
        WHERE entry.first <= b.instant
    )
"""


async def within(connection: Any, schedule_id: UUID, first: datetime, last: datetime) -> list[BackfilledTickDto]:
    """From `first` to `last`, both included, in order; the latest 1,000 of them."""
    query = f"{_BACKFILLS} AND b.instant BETWEEN $2 AND $3 ORDER BY b.instant DESC LIMIT {_WITHIN}"
    rows = await connection.fetch(query, schedule_id, first, last)
    return [_backfilled(row) for row in reversed(rows)]


async def without_verdict(
    connection: Any, schedule_id: UUID, since: datetime | None, until: datetime | None, order: Order
) -> list[BackfilledTickDto]:
    """The first of them in this order."""
    direction = "DESC" if order == "desc" else "ASC"
    query = f"{_BACKFILLS} AND {_WITHOUT_VERDICT} ORDER BY b.instant {direction} LIMIT {MOST}"
    return [_backfilled(row) for row in await connection.fetch(query, schedule_id, since, until)]


def _backfilled(row: asyncpg.Record) -> BackfilledTickDto:
    return BackfilledTickDto(
        instant=row["instant"],
        at=row["backfilled_at"],
        by=row["backfilled_by"],
        run_id=row["job_id"],
        run_status=row["status"],
        version=row["version"],
    )
