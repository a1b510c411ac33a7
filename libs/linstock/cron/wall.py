"""From wall time to instants, over the days when clocks change.

A wall time maps to its first pass; one inside a gap maps to the gap's end. The second pass of an overlap can only be
the answer while we stand in that overlap ourselves: anything earlier has its first pass before it.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from linstock.cron.expression import Compiled

SECOND = timedelta(seconds=1)


def following(timing: Compiled, after: datetime) -> datetime | None:
    """The first instant later than `after` (aware) at which `timing` matches."""
    here = after.astimezone(timing.zone)
    wall = here.replace(tzinfo=None, fold=0)
    overlap = _overlap(wall, timing.zone)
    if overlap is None:
        return _first_pass(timing, after, wall)
    first = _first_pass(timing, after, overlap[1] - SECOND if here.fold else wall)
    second = _second_pass(timing, here, overlap) if timing.interval else None
    return min((instant for instant in (first, second) if instant), default=None)


def _first_pass(timing: Compiled, after: datetime, wall: datetime) -> datetime | None:
    """Several wall times of one gap map to the same instant: those that `after` has already seen are passed over."""
    found = timing.after(wall)
    while found is not None:
        instant = _instant(found, timing.zone)
        if instant > after:
            return instant
        found = timing.after(found)
    return None


def _second_pass(timing: Compiled, here: datetime, overlap: tuple[datetime, datetime]) -> datetime | None:
    start, end = overlap
    found = timing.after(here.replace(tzinfo=None, fold=0) if here.fold else start - SECOND)
    if found is None or found >= end:
        return None
    return found.replace(tzinfo=timing.zone, fold=1).astimezone(UTC)


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        return instant
    before, after = _offset(wall, zone, fold=0), _offset(wall, zone, fold=1)
    naive = wall.replace(tzinfo=UTC)
    return _change(zone, naive - after, naive - before)


def _overlap(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """The wall times that come twice, as (start, end), when `wall` is one of them."""
    before, after = _offset(wall, zone, fold=0), _offset(wall, zone, fold=1)
    if before <= after:  # equal: unambiguous; less: a gap, where nobody stands
        return None
    naive = wall.replace(tzinfo=UTC)
    change = _change(zone, naive - before, naive - after).replace(tzinfo=None)
    return change + after, change + before


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The instant in (low, high] at which the zone's offset changes."""
    old = low.astimezone(zone).utcoffset()
    low, high = low.replace(microsecond=0), high.replace(microsecond=0)
    while high - low > SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return high


def _offset(wall: datetime, zone: ZoneInfo, *, fold: int) -> timedelta:
    offset = wall.replace(tzinfo=zone, fold=fold).utcoffset()
    assert offset is not None
    return offset
