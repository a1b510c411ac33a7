"""When days of a calendar begin and end in a time zone. Pure; instants are aware UTC, whole seconds."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from linstock.cron.wall import change_between

MOMENT = timedelta(microseconds=1)
FAR = datetime.max.replace(tzinfo=UTC)
DAY = timedelta(days=1)

Stretches = tuple[tuple[datetime, ...], tuple[datetime, ...]]


def closed_until(days: tuple[date, ...], zone: str, instant: datetime) -> datetime | None:
    """The last moment of the days off that `instant` is in; None when it is on no such day."""
    begins, ends = _stretches(days, zone)
    at = bisect_right(begins, instant) - 1
    return ends[at] - MOMENT if at >= 0 and instant < ends[at] else None


def open_until(days: tuple[date, ...], zone: str, instant: datetime) -> datetime:
    """The last moment before the next day off begins, or FAR."""
    begins, _ = _stretches(days, zone)
    at = bisect_right(begins, instant)
    return begins[at] - MOMENT if at < len(begins) else FAR


@lru_cache(maxsize=1_024)
def _stretches(days: tuple[date, ...], zone: str) -> Stretches:
    """Begins and ends (not included), ascending; days that follow one another are one stretch. `days` are sorted."""
    known, begins, ends = ZoneInfo(zone), list[datetime](), list[datetime]()
    for day in days:
        begin, end = begin_of(day, known), begin_of(day + DAY, known)
        if begin == end:  # the zone never had it
            continue
        if ends and ends[-1] == begin:
            ends[-1] = end
        else:
            begins.append(begin)
            ends.append(end)
    return tuple(begins), tuple(ends)


def begin_of(day: date, zone: ZoneInfo) -> datetime:
    """When its wall clocks first show 00:00; where they skip that, the end of the gap."""
    local = datetime.combine(day, time(), zone)
    before, after = local.utcoffset(), local.replace(fold=1).utcoffset()
    assert before is not None
    assert after is not None
    if before >= after:
        return local.astimezone(UTC)
    naive = local.replace(tzinfo=UTC)
    return change_between(zone, naive - after, naive - before)


def sorted_once(days: Sequence[date]) -> tuple[date, ...]:
    return tuple(sorted(set(days)))
