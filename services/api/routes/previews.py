"""What a schedule would do, under /api/v1: nothing is changed."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from litestar import post
from msgspec import UnsetType

from linstock import cron
from linstock.cron.explain import explain
from linstock.cron.warnings import warnings
from services.api import answers
from services.api.context import Fresh
from services.api.dto.previews import ClashDto, InstantDto, PreviewBody, PreviewDto, ReplayDto
from services.api.dto.wire import Taken
from services.api.problems import invalid, not_found, wrong
from services.api.queries import past_runs, schedules
from services.api.replay import Run, replay
from services.api.routes.schedules import at_both

REPLAYED = timedelta(days=30)
AHEAD = timedelta(days=50 * 366)
INSTANTS_REPLAYED = 5_000
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Wall times before the year 1 or after 9999 can't be told."""


@post(at_both("/preview"), status_code=200, responses=answers.problems(404, body=True))
async def preview_scheduled_job(data: Taken[PreviewBody], fresh: Fresh) -> PreviewDto:
    """What a schedule would do: its next instants, what may surprise, and the last 30 days again under these rules."""
    runs: list[Run] | None = None
    now, expression, zone = fresh.now(), data.cron_expression, data.time_zone
    if not isinstance(data.scheduled_job_id, UnsetType):
        known = await schedules.one(fresh.pool, fresh.workspace, data.scheduled_job_id, now)
        if known is None:
            raise not_found("scheduled job", data.scheduled_job_id)
        expression = known.cron_expression if isinstance(expression, UnsetType) else expression
        zone = known.time_zone if isinstance(zone, UnsetType) else zone
        runs = await past_runs.since(fresh.pool, fresh.workspace, known.id, now - REPLAYED)
    if isinstance(expression, UnsetType):
        raise invalid(wrong("cronExpression", detail="an expression is needed, or the scheduledJobId of one"))
    zone = "UTC" if isinstance(zone, UnsetType) else zone
    _check(data, expression, zone)
    after = now if isinstance(data.after, UnsetType) else min(max(data.after, EARLIEST), LATEST)
    # Thousands of instants are too many for the thread that answers everybody.
    return await asyncio.to_thread(_preview, data, expression, zone, after, now, runs)


def _check(body: PreviewBody, expression: str, zone: str) -> None:
    """Raises Problem."""
    try:
        cron.check(expression, zone, days=body.days)
    except cron.InvalidCron as error:
        raise invalid(wrong("timeZone" if error.field == "zone" else "cronExpression", detail=str(error))) from error


def _preview(
    body: PreviewBody, expression: str, zone: str, after: datetime, now: datetime, runs: list[Run] | None
) -> PreviewDto:
    found = cron.due_instants(
        expression,
        zone,
        after,
        after + AHEAD,
        body.count,
        days=body.days,
        changes=body.clock_changes,
    )
    return PreviewDto(
        cron_expression=expression,
        time_zone=zone,
        words=explain(expression, zone),
        next=[InstantDto(at=instant, local=instant.astimezone(ZoneInfo(zone)).isoformat()) for instant in found],
        warnings=warnings(expression, zone, after, days=body.days, changes=body.clock_changes),
        replay=None if runs is None else _replayed(body, expression, zone, now, runs),
    )


def _replayed(body: PreviewBody, expression: str, zone: str, now: datetime, runs: list[Run]) -> ReplayDto:
    since = now - REPLAYED
    instants = cron.due_instants(
        expression, zone, since, now, INSTANTS_REPLAYED + 1, days=body.days, changes=body.clock_changes
    )
    told = replay(instants[:INSTANTS_REPLAYED], runs, body.overlap_policy)
    return ReplayDto(
        since=since,
        runs=len(runs),
        instants=told.instants,
        fired=told.fired,
        skipped=told.skipped,
        delayed=told.delayed,
        alongside=told.alongside,
        ended_other=told.ended_other,
        longest_delay_seconds=told.longest_delay_s,
        clashes=[
            ClashDto(at=clash.instant, busy_until=clash.busy_until, outcome=clash.outcome) for clash in told.clashes
        ],
        complete=len(instants) <= INSTANTS_REPLAYED,
    )


HANDLERS = (preview_scheduled_job,)
