"""Instants that pass without firing, because a schedule is off or before it is told something else, as ranges."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from msgspec.structs import replace

from linstock import cron, recurrence
from linstock.messages.schedule import Passed, ScheduleEvent, TickFired, TicksSkipped
from services.scheduler.schedule.states import Disabled, Enabled, Existing, Paused


def passed(schedule: Existing, until: datetime, tzdata: str) -> list[ScheduleEvent]:
    """What is undecided up to `until`; to be appended before what ends it."""
    try:
        ranges = [*_ranges(schedule, until), *dropped(schedule, until)]
    except cron.InvalidCron:  # it never ticked
        return []
    return in_order(schedule, ranges, (), tzdata=tzdata)


def dropped(schedule: Existing, until: datetime) -> list[Passed]:
    """What the clocks took away since the cursor: whatever the schedule is by then, that is why. Raises InvalidCron."""
    spans = recurrence.dropped_spans(schedule.timing, schedule.rules, schedule.cursor, until)
    return [Passed(first=each.first, last=each.last, count=each.count, reason="clock_change") for each in spans]


def counted(schedule: Existing, after: datetime, until: datetime, reason: str, calendar: str = "") -> list[Passed]:
    """The instants later than `after` and not later than `until`, if there are any. Raises InvalidCron."""
    span = recurrence.span(schedule.timing, after, until)
    if span is None:
        return []
    return [Passed(first=span.first, last=span.last, count=span.count, reason=reason, calendar=calendar)]


def in_order(
    schedule: Existing, skipped: Sequence[Passed], fired: Sequence[TickFired], *, tzdata: str, busy: UUID | None = None
) -> list[ScheduleEvent]:
    """By instant. Ranges that follow one another for the same reason are one."""
    found = list[ScheduleEvent]()
    verdicts: list[Passed | TickFired] = sorted([*skipped, *fired], key=_first)
    for each in verdicts:
        before = found[-1] if found else None
        if isinstance(each, TickFired):
            found.append(each)
        elif isinstance(before, TicksSkipped) and (before.reason, before.calendar) == (each.reason, each.calendar):
            found[-1] = replace(before, last=each.last, count=before.count + each.count)
        else:
            found.append(_skipped(schedule, each, tzdata, busy if each.reason == "overlap" else None))
    return found


def runs(instants: Sequence[datetime], breaks: Sequence[Passed], reason: str) -> list[Passed]:
    """The instants as ranges; none reaches over one of `breaks`, which are in order."""
    edges = [0, *(bisect_left(instants, each.first) for each in breaks), len(instants)]
    return [
        Passed(first=instants[start], last=instants[end - 1], count=end - start, reason=reason)
        for start, end in pairwise(edges)
        if start < end
    ]


def _ranges(schedule: Existing, until: datetime) -> list[Passed]:
    found, why = list[Passed](), _reason(schedule)
    for each in recurrence.stretches(schedule.timing, schedule.rules, schedule.cursor, until):
        outside = isinstance(schedule, Enabled) and not each.inside
        told = ("outside_window", each.calendar) if outside else (why, "")
        found += counted(schedule, each.after, each.until, *told)
    return found


def _first(verdict: Passed | TickFired) -> datetime:
    return verdict.instant if isinstance(verdict, TickFired) else verdict.first


def _skipped(schedule: Existing, passed: Passed, tzdata: str, busy: UUID | None) -> TicksSkipped:
    return TicksSkipped(
        schedule_id=schedule.schedule_id,
        first=passed.first,
        last=passed.last,
        count=passed.count,
        reason=passed.reason,
        busy=busy,
        version=schedule.version,
        tzdata=tzdata,
        calendar=passed.calendar,
    )


def _reason(schedule: Existing) -> str:
    match schedule:
        case Paused():
            return "paused"
        case Disabled(why=why):
            return "limit" if why == "limit" else "disabled"
        case Enabled():
            return "misfire"
