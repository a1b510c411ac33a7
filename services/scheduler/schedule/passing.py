"""Instants that pass without firing because a schedule is off, or before it is told something else."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from linstock import cron, recurrence
from linstock.messages.schedule import Passed, TicksSkipped
from services.scheduler.schedule.states import Disabled, Enabled, Existing, Paused


def passed(schedule: Existing, until: datetime, tzdata: str) -> list[TicksSkipped]:
    """What is undecided up to `until`; to be appended before what ends it."""
    try:
        stretches = list(_stretches(schedule, until))
    except cron.InvalidCron:  # it never ticked
        return []
    return [
        TicksSkipped(
            schedule_id=schedule.schedule_id,
            first=each.first,
            last=each.last,
            count=each.count,
            reason=each.reason,
            busy=None,
            version=schedule.version,
            tzdata=tzdata,
            calendar=each.calendar,
        )
        for each in stretches
    ]


def _stretches(schedule: Existing, until: datetime) -> Iterator[Passed]:
    """While it is on, what its rules leave out is told apart from what nobody fired."""
    timing, rules, after = schedule.timing, schedule.rules, schedule.cursor
    while after < until and (first := recurrence.following(timing, after)) is not None and first <= until:
        end, reason, calendar = until, _reason(schedule), ""
        if isinstance(schedule, Enabled):
            outside = recurrence.outside(timing, rules, first)
            if outside is not None:
                end, reason, calendar = min(end, outside.until), "outside_window", outside.calendar
            else:
                end = min(end, recurrence.inside_until(timing, rules, first))
        span = recurrence.span(timing, after, end)
        assert span is not None
        yield Passed(first=span.first, last=span.last, count=span.count, reason=reason, calendar=calendar)
        after = end


def runs(instants: Sequence[datetime], breaks: Sequence[Passed], reason: str) -> list[Passed]:
    """The instants as ranges; none reaches over one of `breaks`, which are in order."""
    edges = [0, *(bisect_left(instants, each.first) for each in breaks), len(instants)]
    return [
        Passed(first=instants[start], last=instants[end - 1], count=end - start, reason=reason)
        for start, end in pairwise(edges)
        if start < end
    ]


def _reason(schedule: Existing) -> str:
    match schedule:
        case Paused():
            return "paused"
        case Disabled(why=why):
            return "limit" if why == "limit" else "disabled"
        case Enabled():
            return "misfire"
