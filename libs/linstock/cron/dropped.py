"""Wall times that the clocks take away: skipped ones that nothing stands for, and second passes that do not fire. Pure.

A skipped wall time is told as the instant at which clocks would have shown it had they not gone forward: the offset
before the gap holds. If that is one of the expression's instants by the new clock too, nothing was taken away.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from linstock.cron.expression import ClockChanges, Days, InZone, compiled
from linstock.cron.interval import Every
from linstock.cron.wall import SECOND, clock_changes

LONGEST_GAP = timedelta(days=1)  # Samoa's, when it crossed the date line


def dropped(
    expression: str,
    zone: str,
    after: datetime,
    until: datetime,
    *,
    days: Days = "and",
    changes: ClockChanges = "cronos",
) -> Iterator[datetime]:
    """Those later than `after` and not later than `until`, ascending; none of them is an instant of the expression.
    Where no clocks change this costs some 2 µs. Raises InvalidCron."""
    timing = compiled(expression, zone, days, changes)
    if isinstance(timing, Every) or (timing.gaps and timing.repeats):
        return
    for change in clock_changes(timing.zone, after - LONGEST_GAP, until):
        yield from _taken(timing, change, after, until)


def moved_to(
    expression: str, zone: str, at: datetime, *, days: Days = "and", changes: ClockChanges = "cronos"
) -> datetime | None:
    """The end of the gap, if `at` stands for a wall time of the expression in it that fires there. Raises
    InvalidCron."""
    if changes == "literal" or at not in dropped(expression, zone, at - SECOND, at, days=days, changes="literal"):
        return None
    timing = compiled(expression, zone, days, changes)
    assert isinstance(timing, InZone)
    return clock_changes(timing.zone, at - LONGEST_GAP, at)[-1]


def _taken(timing: InZone, change: datetime, after: datetime, until: datetime) -> Iterator[datetime]:
    before, since = (each.astimezone(timing.zone).utcoffset() for each in (change - SECOND, change))
    assert before is not None
    assert since is not None
    gap = since > before
    if timing.gaps if gap else timing.repeats:
        return
    # In a gap the old offset goes on for as long as the gap is; the second pass of an overlap has the new one.
    offset = before if gap else since
    start, end = max(change, after.replace(microsecond=0) + SECOND), change + abs(since - before)
    wall = timing.calendar.at_or_after(_wall(start, offset))
    while wall is not None and (instant := (wall - offset).replace(tzinfo=UTC)) < end and instant <= until:
        if timing.following(instant - SECOND, inclusive=False) != instant:
            yield instant
        wall = timing.calendar.at_or_after(wall + SECOND)


def _wall(instant: datetime, offset: timedelta) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None) + offset
