"""How many instants lie in a stretch of time, without walking through them. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from msgspec import Struct

from linstock.cron.expression import ClockChanges, Days, InZone, compiled
from linstock.cron.interval import Every
from linstock.cron.wall import SECOND, clock_changes


class Span(Struct, frozen=True):
    """`count` instants, from `first` to `last`."""

    first: datetime
    last: datetime
    count: int


def span(
    expression: str,
    zone: str,
    after: datetime,
    until: datetime,
    *,
    days: Days = "and",
    changes: ClockChanges = "cronos",
) -> Span | None:
    """Of the instants later than `after` and not later than `until`; None when there are none. Costs about a
    millisecond for each year. Raises InvalidCron."""
    timing = compiled(expression, zone, days, changes)
    first = timing.following(after.replace(microsecond=0), inclusive=False)
    if first is None or first > until:
        return None
    last = _last(timing, first, until)
    if isinstance(timing, Every):
        return Span(first, last, int((last - first).total_seconds()) // timing.period_s + 1)
    return Span(first, last, _count(timing, first, last))


def latest(
    expression: str,
    zone: str,
    after: datetime,
    until: datetime,
    count: int,
    *,
    days: Days = "and",
    changes: ClockChanges = "cronos",
) -> list[datetime]:
    """The last `count` instants later than `after` and not later than `until`, ascending. Those before them cost
    nothing but the search, some 20 ms at most. Raises InvalidCron."""
    timing = compiled(expression, zone, days, changes)
    found = list(islice(_walked(timing, after.replace(microsecond=0), until), count + 1))
    if len(found) <= count:
        return found
    last = _last(timing, found[0], until)
    if isinstance(timing, Every):
        return [last - timedelta(seconds=timing.period_s) * back for back in reversed(range(count))]
    low = last - count * SECOND  # none are closer together
    while (first := timing.following(low, inclusive=False)) is not None and _count(timing, first, last) < count:
        low = max(found[0] - SECOND, last - 2 * (last - low))
    return list(_walked(timing, _start(timing, low, last, count), last))


def _start(timing: InZone, low: datetime, last: datetime, count: int) -> datetime:
    """After which there are just `count` until `last`; after `low` there are no fewer."""
    high = last
    while high - low > SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        first = timing.following(middle, inclusive=False)
        if first is not None and first <= last and _count(timing, first, last) >= count:
            low = middle
        else:
            high = middle
    return low


def _walked(timing: InZone | Every, after: datetime, until: datetime) -> Iterator[datetime]:
    found = timing.following(after, inclusive=False)
    while found is not None and found <= until:
        yield found
        found = timing.following(found, inclusive=False)


def moved(
    expression: str, zone: str, instant: datetime, *, days: Days = "and", changes: ClockChanges = "cronos"
) -> bool:
    """Whether the clocks skipped the wall time that this instant stands for. Raises InvalidCron."""
    timing = compiled(expression, zone, days, changes)
    if isinstance(timing, Every):
        return False
    wall = instant.astimezone(timing.zone).replace(tzinfo=None, fold=0)
    return timing.calendar.at_or_after(wall) != wall


def _last(timing: InZone | Every, first: datetime, until: datetime) -> datetime:
    """The last instant not later than `until`: after it nothing follows in time."""
    low, high = first, until.replace(microsecond=0) + SECOND  # something follows before low, nothing from high on
    while high - low > SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        found = timing.following(middle - SECOND, inclusive=False)  # at a gap's end `inclusive` looks behind the gap
        if found is not None and found <= until:
            low = found
        else:
            high = middle
    return low


def _count(timing: InZone, first: datetime, last: datetime) -> int:
    """Between two clock changes wall times and instants are one to one."""
    end, here, total = last + SECOND, first, 0
    for change in clock_changes(timing.zone, first - SECOND, last):
        total += _plain(timing, here, change)
        ahead = _offset(timing, change) - _offset(timing, change - SECOND)
        if ahead > timedelta(0):  # whatever lies in the gap is at its end, once
            total += timing.following(change - SECOND, inclusive=False) == change
            here = change + SECOND
        else:
            here = change if timing.repeats else change - ahead
    return total + _plain(timing, here, end)


def _plain(timing: InZone, start: datetime, end: datetime) -> int:
    if start >= end:
        return 0
    offset = _offset(timing, start)
    naive = start.astimezone(UTC).replace(tzinfo=None), end.astimezone(UTC).replace(tzinfo=None)
    return timing.calendar.count(naive[0] + offset, naive[1] + offset)


def _offset(timing: InZone, instant: datetime) -> timedelta:
    offset = instant.astimezone(timing.zone).utcoffset()
    assert offset is not None
    return offset
