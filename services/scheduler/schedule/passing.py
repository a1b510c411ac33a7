"""Instants that pass without firing because a schedule is off, or before it is told something else: one event."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from linstock import cron, recurrence
from linstock.messages.schedule import Passed, TicksSkipped
from services.scheduler.schedule.states import Disabled, Enabled, Existing, Paused


def passed(schedule: Existing, until: datetime, tzdata: str) -> list[TicksSkipped]:
    """What is undecided up to `until`; to be appended before what ends it."""
    try:
        span = recurrence.span(schedule.timing, schedule.cursor, until)
    except cron.InvalidCron:  # it never ticked
        return []
    if span is None:
        return []
    return [
        TicksSkipped(
            schedule_id=schedule.schedule_id,
            first=span.first,
            last=span.last,
            count=span.count,
            reason=_reason(schedule),
            busy=None,
            version=schedule.version,
            tzdata=tzdata,
        )
    ]


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
