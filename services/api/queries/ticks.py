"""The ledger of one schedule. Its rows are numbered without holes, in the order of their instants
(`services/projection/views/ticks.py`): a span of time is a span of numbers, so a page costs the same wherever it is."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.rules import Rules, Timing
from services.api import expected, reasons
from services.api.dto.ticks import AskedInstantDto, BackfilledTickDto, Order, ScheduledJobTickDto, ScheduledJobTickPage
from services.api.expected import Standing, Version
from services.api.paging import Window
from services.api.queries import backfills

_VERSION = """
    v.version AS rules_version, v.timing, v.rules, v.cursor AS not_before, v.made_at, v.made_by, v.deleted_at,
    v.deleted_by
"""
_SCHEDULE = f"""
    SELECT s.enabled, s.paused_at, s.paused_by, s.pause_reason, s.resume_at, s.cursor,
        s.deleted_at IS NOT NULL AS deleted, s.tick_count, t.ordinal, t.first, {_VERSION}
    FROM schedules s
    LEFT JOIN schedule_versions v ON v.schedule_id = s.schedule_id AND v.version = s.rules_version
    LEFT JOIN LATERAL (
        SELECT ordinal, first FROM ticks WHERE schedule_id = s.schedule_id ORDER BY ordinal LIMIT 1
    ) t ON true
    WHERE s.schedule_id = $1 AND s.workspace = $2
"""  # noqa: S608  # our own columns
# The latest for such an instant; before there was one, the first.
_IN_FORCE = f"""
    SELECT {_VERSION} FROM schedule_versions v WHERE v.schedule_id = $1
    ORDER BY (v.cursor < $2) DESC, CASE WHEN v.cursor < $2 THEN -v.version ELSE v.version END LIMIT 1
"""  # noqa: S608
# Only the row at the end of the span may begin in it and end after it.
_SPAN = """
    SELECT
        (SELECT ordinal FROM ticks WHERE schedule_id = $1 AND last >= coalesce($2::timestamptz, '-infinity')
            ORDER BY last LIMIT 1) AS low,
        coalesce(
            (SELECT CASE WHEN first < $3 THEN ordinal ELSE ordinal - 1 END
                FROM ticks WHERE schedule_id = $1 AND last >= $3::timestamptz ORDER BY last LIMIT 1),
            (SELECT max(ordinal) FROM ticks WHERE schedule_id = $1)
        ) AS high
"""
_TICKS = f"""
    SELECT t.first, t.last, t.instants, t.verdict, t.reason, t.moved, t.missed_count, t.job_id, t.busy_id, t.calendar,
        t.tzdata,
        t.decided_at, t.version, j.status, {_VERSION}
    FROM ticks t
    LEFT JOIN jobs j ON j.job_id = t.job_id
    LEFT JOIN schedule_versions v ON v.schedule_id = t.schedule_id AND v.version = t.version
    WHERE t.schedule_id = $1
"""  # noqa: S608
_MOMENT = timedelta(microseconds=1)
_END = datetime.max.replace(tzinfo=UTC)


class Asked(Struct, frozen=True):
    """From `since` on and before `until` (None: no bound); what became of the instant `at`, if there is one. Without a
    span, `at` is the span. Of these verdicts, and skipped for these reasons; none: any."""

    since: datetime | None
    until: datetime | None
    at: datetime | None
    order: Order
    verdicts: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    def span(self) -> "Asked":
        if self.at is None or self.since is not None or self.until is not None:
            return self
        return replace(self, since=self.at, until=None if self.at == _END else self.at + _MOMENT)

    def filters(self) -> bool:
        return bool(self.verdicts or self.reasons)

    def wants_backfilled(self) -> bool:
        """What has no verdict but was made up for."""
        return not self.reasons and (not self.verdicts or "backfilled" in self.verdicts)


async def page(
    pool: asyncpg.Pool, workspace: str, schedule_id: UUID, asked: Asked, window: Window, now: datetime
) -> ScheduledJobTickPage | None:
    """None when there never was such a schedule. All of it is of one moment: an instant is decided, or it is not."""
    span = asked.span()
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        row = await connection.fetchrow(_SCHEDULE, schedule_id, workspace)
        if row is None:
            return None
        standing = _standing(row)
        rows, total = await _rows(connection, schedule_id, span, window)
        made_up = await _backfilled(connection, schedule_id, rows)
        at = None if asked.at is None else await _about(connection, schedule_id, asked.at, standing, now)
        without = (
            await backfills.without_verdict(connection, schedule_id, span.since, span.until, span.order)
            if span.wants_backfilled()
            else []
        )
    listed = window.of([_tick(each, made_up) for each in rows], total)
    ahead = [] if span.filters() else list(expected.upcoming(standing, span.since, span.until, now))
    return ScheduledJobTickPage(**msgspec.structs.asdict(listed), upcoming=ahead, backfilled=without, at=at)


async def _rows(connection: Any, schedule_id: UUID, asked: Asked, window: Window) -> tuple[list[asyncpg.Record], int]:
    span = await connection.fetchrow(_SPAN, schedule_id, asked.since, asked.until)
    low, high = span["low"], span["high"]
    if low is None or high is None or high < low:
        return [], 0
    if asked.filters():
        return await _filtered(connection, schedule_id, asked, window, low, high)
    newest = asked.order == "desc"
    first = high - window.offset - window.size + 1 if newest else low + window.offset
    order = "DESC" if newest else "ASC"
    rows = await connection.fetch(
        f"{_TICKS} AND t.ordinal BETWEEN $2 AND $3 ORDER BY t.ordinal {order}",
        schedule_id,
        max(low, first),
        min(high, first + window.size - 1),
    )
    return rows, high - low + 1


async def _filtered(
    connection: Any, schedule_id: UUID, asked: Asked, window: Window, low: int, high: int
) -> tuple[list[asyncpg.Record], int]:
    """Only rows that fired at their time have no index of their own by verdict: most do."""
    where = "t.ordinal BETWEEN $2 AND $3 AND ($4::text[] = '{}' OR t.verdict = ANY ($4))"
    where += " AND ($5::text[] = '{}' OR t.reason = ANY ($5))"
    if asked.reasons or "fired" not in asked.verdicts:
        where += " AND t.verdict <> 'fired'"
    wanted = (schedule_id, low, high, list(asked.verdicts), list(asked.reasons))
    total = await connection.fetchval(f"SELECT count(*) FROM ticks t WHERE t.schedule_id = $1 AND {where}", *wanted)  # noqa: S608
    order = "DESC" if asked.order == "desc" else "ASC"
    page = f"{_TICKS} AND {where} ORDER BY t.ordinal {order} LIMIT $6 OFFSET $7"
    return await connection.fetch(page, *wanted, window.size, window.offset), total


async def _backfilled(connection: Any, schedule_id: UUID, rows: list[asyncpg.Record]) -> list[BackfilledTickDto]:
    """Of all entries of a page together, in order."""
    if not rows:
        return []
    first, last = min(row["first"] for row in rows), max(row["last"] for row in rows)
    return await backfills.within(connection, schedule_id, first, last)


async def _about(
    connection: Any, schedule_id: UUID, at: datetime, standing: Standing, now: datetime
) -> AskedInstantDto:
    """Made up for or not."""
    about = await _decided(connection, schedule_id, at, standing, now)
    made_up = await backfills.within(connection, schedule_id, at, at)
    return expected.backfilled(about, made_up[0]) if made_up else about


async def _decided(
    connection: Any, schedule_id: UUID, at: datetime, standing: Standing, now: datetime
) -> AskedInstantDto:
    query = f"{_TICKS} AND t.last >= $2 ORDER BY t.last LIMIT 1"
    row = await connection.fetchrow(query, schedule_id, at)
    if row is None or row["first"] > at:
        last = _version(await connection.fetchrow(_IN_FORCE, schedule_id, at))
        assert last is not None  # whatever was defined has a version
        return expected.without_verdict(at, last, standing, now) if last.cursor < at else expected.before(at, last)
    tick, version = _tick(row, ()), _version(row)
    if tick.instant is None and version is not None and not version.expects(at):
        return expected.asked(at, version, "not_expected", expected.not_expected(version, at))
    about = expected.asked(at, version, "decided", tick.explanation)
    return msgspec.structs.replace(about, verdict=tick.verdict)


def _standing(row: asyncpg.Record) -> Standing:
    forgot = row["tick_count"] > 0 and row["ordinal"] != 1
    return Standing(
        off=_off(row),
        off_until=row["resume_at"] if row["enabled"] else None,
        cursor=row["cursor"],
        deleted=row["deleted"],
        kept_from=(row["first"] or row["cursor"] + _MOMENT) if forgot else None,
        current=_version(row),
    )


def _off(row: asyncpg.Record) -> str | None:
    if not row["enabled"]:
        return "disabled"
    if row["paused_at"] is None:
        return None
    return f"paused by {row['paused_by']}" + (f" ({row['pause_reason']})" if row["pause_reason"] else "")


def _version(row: asyncpg.Record) -> Version | None:
    if row["rules_version"] is None:
        return None
    return Version(
        number=row["rules_version"],
        timing=msgspec.json.decode(row["timing"], type=Timing),
        rules=msgspec.json.decode(row["rules"], type=Rules),
        cursor=row["not_before"],
        made_at=row["made_at"],
        made_by=row["made_by"],
        deleted_at=row["deleted_at"],
        deleted_by=row["deleted_by"],
    )


def _tick(row: asyncpg.Record, made_up: Sequence[BackfilledTickDto]) -> ScheduledJobTickDto:
    version = _version(row)
    mine = [each for each in made_up if row["first"] <= each.instant <= row["last"]]
    return ScheduledJobTickDto(
        instant=row["first"] if row["instants"] == 1 else None,
        first=row["first"],
        last=row["last"],
        count=row["instants"],
        verdict=row["verdict"],
        reason=row["reason"],
        explanation=" ".join([_explanation(row), *reasons.of_backfilled(mine, of=row["instants"])]),
        moved=row["moved"],
        missed_count=row["missed_count"],
        decided_at=row["decided_at"],
        run_id=row["job_id"],
        run_status=row["status"],
        busy_run_id=row["busy_id"],
        calendar=row["calendar"],
        version=row["version"],
        cron_expression=version.timing.expression if version else None,
        time_zone=version.timing.zone if version else None,
        tzdata=row["tzdata"],
        backfilled=mine,
    )


def _explanation(row: asyncpg.Record) -> str:
    if row["reason"] is not None:
        return reasons.of_skipped(row["reason"], count=row["instants"], busy=row["busy_id"], calendar=row["calendar"])
    late = row["decided_at"] - row["last"]
    return reasons.of_fired(row["verdict"], late=late, missed=row["missed_count"], moved=row["moved"])
