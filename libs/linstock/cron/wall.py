"""From wall time to instants, over the days when clocks change.

A wall time maps to its first pass. The second pass of an overlap can only be the answer while we stand in that overlap
ourselves: anything earlier has its first pass before it.
"""

from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from linstock.cron.calendar import Calendar

SECOND = timedelta(seconds=1)
_LOOK = timedelta(days=1)


def following(
    calendar: Calendar, zone: ZoneInfo, after: datetime, *, inclusive: bool, gaps: bool, repeats: bool
) -> datetime | None:
    """The first instant later than `after` (aware, whole seconds), or `inclusive` of it, at which `calendar` matches.

    `gaps`: a wall time that the clocks skip counts as the skip's end; else it does not come. `repeats`: wall times that
    come twice fire in both passes; else in the first.
    """
    here = after.astimezone(zone)
    wall = here.replace(tzinfo=None, fold=0)
    overlap = here.utcoffset() != here.replace(fold=1 - here.fold).utcoffset()
    overlap_start, overlap_end = _overlap(wall, zone) if overlap else (wall, wall)
    if not inclusive:
        wall += SECOND
    if not overlap:
        return _first_pass(calendar, zone, wall, gaps=gaps)
    first = _first_pass(calendar, zone, overlap_end if here.fold else wall, gaps=gaps)
    if not repeats:
        return first
    second = calendar.at_or_after(wall if here.fold else overlap_start)
    if second is None or second >= overlap_end:
        return first
    again = second.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return again if first is None else min(first, again)


def _first_pass(calendar: Calendar, zone: ZoneInfo, wall: datetime, *, gaps: bool) -> datetime | None:
    while (found := calendar.at_or_after(wall)) is not None:
        local = found.replace(tzinfo=zone)
        before, after = local.utcoffset(), local.replace(fold=1).utcoffset()
        assert before is not None
        assert after is not None
        if before >= after:  # more: an overlap
            return local.astimezone(UTC)
        naive = found.replace(tzinfo=UTC)
        change = change_between(zone, naive - after, naive - before)
        if gaps:
            return change
        wall = change.astimezone(zone).replace(tzinfo=None)
    return None


def _overlap(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The wall times that come twice, as (start, end), `wall` being one of them."""
    before, after = _offset(wall, zone, fold=0), _offset(wall, zone, fold=1)
    naive = wall.replace(tzinfo=UTC)
    change = change_between(zone, naive - before, naive - after).replace(tzinfo=None)
    return change + after, change + before


def clock_changes(zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """The instants in (start, end] at which the zone's offset changes. Two changes within a day would be missed."""
    years = range(start.year, end.year + 1)
    return [change for year in years for change in _changes_of(zone, year) if start < change <= end]


@lru_cache(maxsize=4_096)
def _changes_of(zone: ZoneInfo, year: int) -> tuple[datetime, ...]:
    if not MINYEAR < year < MAXYEAR:
        return ()
    here, end = (datetime(each, 1, 1, tzinfo=UTC) - SECOND for each in (year, year + 1))
    found = list[datetime]()
    while here < end:
        following = min(here + _LOOK, end)
        if here.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            found.append(change_between(zone, here, following))
        here = following
    return tuple(found)


def change_between(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
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
