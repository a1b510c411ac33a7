"""What a schedule would do, under /api/v1: nothing is changed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from litestar import post
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from linstock import cron, recurrence
from linstock.cron.explain import explain
from linstock.messages.rules import CalendarDays, Rules, Timing
from services.api import answers
from services.api.context import Context, Fresh
from services.api.dto.previews import ClashDto, InstantDto, PreviewBody, PreviewDto, ReplayDto
from services.api.dto.schedules import ScheduledJobDto
from services.api.dto.wire import Taken
from services.api.problems import invalid, not_found, wrong
from services.api.queries import calendars, past_runs, schedules
from services.api.replay import Overlap, Run, replay
from services.api.routes.schedules import at_both

REPLAYED = timedelta(days=30)
AHEAD = timedelta(days=50 * 366)
INSTANTS_REPLAYED = 5_000
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Wall times before the year 1 or after 9999 can't be told."""


class Wanted(Struct, frozen=True):
    """What is previewed: what was asked for, and what the schedule says of the rest."""

    timing: Timing
    overlap: Overlap
    rules: Rules


@post(at_both("/preview"), status_code=200, responses=answers.problems(404, body=True))
async def preview_scheduled_job(data: Taken[PreviewBody], fresh: Fresh) -> PreviewDto:
    """What a schedule would do: its next instants, what may surprise, and the last 30 days again under these rules."""
    runs: list[Run] | None = None
    known: ScheduledJobDto | None = None
    now = fresh.now()
    if not isinstance(data.scheduled_job_id, UnsetType):
        known = await schedules.one(fresh.pool, fresh.workspace, data.scheduled_job_id, now)
        if known is None:
            raise not_found("scheduled job", data.scheduled_job_id)
        runs = await past_runs.since(fresh.pool, fresh.workspace, known.id, now - REPLAYED)
    rules = await schedules.rules_of(fresh.pool, fresh.workspace, known.id) if known else Rules()
    if not isinstance(data.calendars, UnsetType):
        rules = replace(rules, calendars=await _copies(data.calendars, fresh))
    wanted = _wanted(data, known, rules)
    after = now if isinstance(data.after, UnsetType) else min(max(data.after, EARLIEST), LATEST)
    # Thousands of instants are too many for the thread that answers everybody.
    return await asyncio.to_thread(_preview, wanted, after, data.count, now, runs)


async def _copies(given: list[str], context: Context) -> tuple[CalendarDays, ...]:
    """Raises Problem."""
    found = list[CalendarDays]()
    for number, copy in enumerate(await calendars.copies(context.pool, context.workspace, given)):
        if copy is None:
            raise invalid(wrong("calendars", str(number), detail=f"there is no calendar {given[number]!r}"))
        found.append(copy)
    return tuple(found)


def _wanted(body: PreviewBody, known: ScheduledJobDto | None, rules: Rules) -> Wanted:
    """Raises Problem."""
    stored = Timing(expression="", zone="UTC")
    overlap = "skip"
    if known is not None:
        stored = Timing(
            expression=known.cron_expression, zone=known.time_zone, days=known.days, clock_changes=known.clock_changes
        )
        overlap = known.overlap_policy
    elif body.cron_expression is UNSET:
        raise invalid(wrong("cronExpression", detail="an expression is needed, or the scheduledJobId of one"))
    timing = Timing(
        expression=_first(body.cron_expression, stored.expression),
        zone=_first(body.time_zone, stored.zone),
        days=_first(body.days, stored.days),
        clock_changes=_first(body.clock_changes, stored.clock_changes),
    )
    try:
        recurrence.check(timing)
    except cron.InvalidCron as error:
        raise invalid(wrong("timeZone" if error.field == "zone" else "cronExpression", detail=str(error))) from error
    return Wanted(timing, cast("Overlap", _first(body.overlap_policy, overlap)), rules)


def _first(given: str | UnsetType, stored: str) -> str:
    return stored if isinstance(given, UnsetType) else given


def _preview(wanted: Wanted, after: datetime, count: int, now: datetime, runs: list[Run] | None) -> PreviewDto:
    timing = wanted.timing
    zone = ZoneInfo(timing.zone)
    found = recurrence.inside_instants(timing, wanted.rules, after, after + AHEAD, count)
    return PreviewDto(
        cron_expression=timing.expression,
        time_zone=timing.zone,
        words=explain(timing.expression, timing.zone, timing.days),
        next=[InstantDto(at=instant, local=instant.astimezone(zone).isoformat()) for instant in found],
        warnings=recurrence.warnings(timing, after),
        replay=None if runs is None else _replayed(wanted, now, runs),
    )


def _replayed(wanted: Wanted, now: datetime, runs: list[Run]) -> ReplayDto:
    since = now - REPLAYED
    instants = recurrence.inside_instants(wanted.timing, wanted.rules, since, now, INSTANTS_REPLAYED + 1)
    told = replay(instants[:INSTANTS_REPLAYED], runs, wanted.overlap)
    return ReplayDto(
        since=since,
        runs=len(runs),
        instants=told.instants,
        fired=told.fired,
        skipped=told.skipped,
        delayed=told.delayed,
        ended_other=told.ended_other,
        longest_delay_seconds=told.longest_delay_s,
        clashes=[
            ClashDto(at=clash.instant, busy_until=clash.busy_until, outcome=clash.outcome) for clash in told.clashes
        ],
        complete=len(instants) <= INSTANTS_REPLAYED,
    )


HANDLERS = (preview_scheduled_job,)
