"""What a schedule would do, under /api/v1: nothing is changed."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec
from litestar import post
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from linstock import cron, recurrence
from linstock.cron.explain import explain
from linstock.messages.rules import CalendarDays, Rules, Timing
from services.api import answers
from services.api.absences import Absence
from services.api.context import Context, Fresh
from services.api.dto.previews import ClashDto, InstantDto, PreviewBody, PreviewDto, ReplayDto
from services.api.dto.schedule_rules import OVERLAPS
from services.api.dto.wire import Taken
from services.api.problems import invalid, not_found, wrong
from services.api.queries import absences, calendars, past_runs, schedules
from services.api.replay import Run, replay
from services.api.routes.schedules import at_both

REPLAYED = timedelta(days=30)
AHEAD = timedelta(days=50 * 366)
INSTANTS_REPLAYED = 5_000
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Wall times before the year 1 or after 9999 can't be told."""


class Wanted(Struct, frozen=True):
    """What is previewed: what was asked for, and what the schedule says of the rest."""

    timing: Timing
    rules: Rules


class Past(Struct, frozen=True):
    """What happened to the schedule in the last 30 days."""

    runs: list[Run]
    absences: list[Absence]


@post(at_both("/preview"), status_code=200, responses=answers.problems(404, body=True))
async def preview_scheduled_job(data: Taken[PreviewBody], fresh: Fresh) -> PreviewDto:
    """What a schedule would do: its next instants, what may surprise, and the last 30 days again under these rules."""
    past: Past | None = None
    known: tuple[Timing, Rules] | None = None
    now = fresh.now()
    if not isinstance(data.scheduled_job_id, UnsetType):
        asked = fresh.pool, fresh.workspace, data.scheduled_job_id
        known = await schedules.in_force(*asked)
        if known is None:
            raise not_found("scheduled job", data.scheduled_job_id)
        since = now - REPLAYED
        past = Past(await past_runs.since(*asked, since), await absences.since(*asked, since))
    copies = None if isinstance(data.calendars, UnsetType) else await _copies(data.calendars, fresh)
    wanted = _wanted(data, known, copies)
    after = now if isinstance(data.after, UnsetType) else min(max(data.after, EARLIEST), LATEST)
    # Thousands of instants are too many for the thread that answers everybody.
    return await asyncio.to_thread(_preview, wanted, after, data.count, now, past)


async def _copies(given: list[str], context: Context) -> tuple[CalendarDays, ...]:
    """Raises Problem."""
    found = list[CalendarDays]()
    for number, copy in enumerate(await calendars.copies(context.pool, context.workspace, given)):
        if copy is None:
            raise invalid(wrong("calendars", str(number), detail=f"there is no calendar {given[number]!r}"))
        found.append(copy)
    return tuple(found)


def _wanted(body: PreviewBody, known: tuple[Timing, Rules] | None, copies: tuple[CalendarDays, ...] | None) -> Wanted:
    """Raises Problem."""
    stored, rules = known or (Timing(expression="", zone="UTC"), Rules())
    if known is None and body.cron_expression is UNSET:
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
    given = msgspec.structs.asdict(body.changed_rules())
    rules = replace(rules, **{name: value for name, value in given.items() if value is not UNSET})
    if copies is not None:
        rules = replace(rules, calendars=copies)
    if rules.overlap not in OVERLAPS:
        raise invalid(wrong("overlapPolicy", detail=f"it is {', '.join(OVERLAPS[:-1])} or {OVERLAPS[-1]}"))
    return Wanted(timing, rules)


def _first(given: str | UnsetType, stored: str) -> str:
    return stored if isinstance(given, UnsetType) else given


def _preview(wanted: Wanted, after: datetime, count: int, now: datetime, past: Past | None) -> PreviewDto:
    timing = wanted.timing
    zone = ZoneInfo(timing.zone)
    return PreviewDto(
        cron_expression=timing.expression,
        time_zone=timing.zone,
        words=explain(timing.expression, timing.zone, timing.days),
        next=[
            InstantDto(at=instant, local=instant.astimezone(zone).isoformat())
            for instant in islice(_next(wanted, after), count)
        ],
        warnings=recurrence.warnings(timing, after),
        replay=None if past is None else _replayed(wanted, now, past),
    )


def _next(wanted: Wanted, after: datetime) -> Iterator[datetime]:
    """Those that may fire."""
    until = after + AHEAD
    while (found := recurrence.first_inside(wanted.timing, wanted.rules, after)) is not None and found <= until:
        yield found
        after = found


def _replayed(wanted: Wanted, now: datetime, past: Past) -> ReplayDto:
    since = now - REPLAYED
    instants, outside = list[datetime](), 0
    for each in recurrence.stretches(wanted.timing, wanted.rules, since, now):
        if each.inside:
            left = INSTANTS_REPLAYED + 1 - len(instants)
            instants += recurrence.due_instants(wanted.timing, each.after, each.until, left)
        elif span := recurrence.span(wanted.timing, each.after, each.until):
            outside += span.count
    told = replay(instants[:INSTANTS_REPLAYED], past.runs, wanted.rules, past.absences)
    return ReplayDto(
        since=since,
        runs=len(past.runs),
        instants=told.instants,
        outside_window=outside,
        absences=len(past.absences),
        fired=told.fired,
        caught_up=told.caught_up,
        missed=told.missed,
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
