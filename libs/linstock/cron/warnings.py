"""What may surprise whoever wrote an expression: clock changes of the next year, months that are skipped, a torrent.

Pure: the caller says from which moment on.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from linstock.cron.expression import ClockChanges, Days, InZone, compiled
from linstock.cron.fields import FromLast, Nearest
from linstock.cron.interval import Every
from linstock.cron.wall import clock_changes

MANY_A_DAY = 288  # every five minutes
AHEAD = timedelta(days=366)
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY_S = 86_400


def warnings(
    expression: str, zone: str, after: datetime, *, days: Days = "and", changes: ClockChanges = "cronos"
) -> list[str]:
    """Sentences; none when nothing surprises. Costs about a millisecond. Raises InvalidCron."""
    timing = compiled(expression, zone, days, changes)
    if isinstance(timing, Every):
        return _torrent(_DAY_S // timing.period_s)
    return [*_torrent(_a_day(timing)), *_short_months(timing, days), *_clock_changes(timing, zone, after)]


def _a_day(timing: InZone) -> int:
    return len(timing.parsed.hours) * len(timing.parsed.minutes) * len(timing.parsed.seconds)


def _torrent(count: int) -> list[str]:
    return [f"It fires {count:,} times a day."] if count > MANY_A_DAY else []


def _short_months(timing: InZone, days: Days) -> list[str]:
    rule = timing.parsed.days
    if isinstance(rule, FromLast):
        needed, what = rule.back + 1, f"day {rule.back} days before the last"
    else:
        needed = rule.day if isinstance(rule, Nearest) else min(rule)
        what = f"day {needed}"
    if days == "or" and not timing.parsed.any_weekday:
        return []
    skipped = [_MONTHS[month - 1] for month in sorted(timing.parsed.months) if _LENGTHS[month - 1] < needed]
    if needed == 29 and 2 in timing.parsed.months:
        skipped.append("February in most years")
    return [f"It skips {_listed(skipped)}: there is no {what}."] if skipped else []


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _clock_changes(timing: InZone, zone: str, after: datetime) -> Iterator[str]:
    for instant in clock_changes(timing.zone, after, after + AHEAD):
        old, new = ((instant - timedelta(seconds=late)).astimezone(timing.zone).utcoffset() for late in (1, 0))
        assert old is not None
        assert new is not None
        naive = instant.replace(tzinfo=None)
        start, end = naive + min(old, new), naive + max(old, new)
        found = timing.calendar.at_or_after(start)
        # What recurs within the day goes on before and after; nobody misses one of many.
        if found is None or found >= end or timing.parsed.interval:
            continue
        when = f"On {start:%Y-%m-%d} in {zone} the clocks"
        if new > old and timing.gaps:
            yield f"{when} skip {start:%H:%M} to {end:%H:%M}: {found:%H:%M} fires at {end:%H:%M}."
        elif new > old:
            yield f"{when} skip {start:%H:%M} to {end:%H:%M}: {found:%H:%M} does not fire."
        else:
            fires = "fires both times" if timing.repeats else "fires the first time only"
            yield f"{when} show {start:%H:%M} to {end:%H:%M} twice: {found:%H:%M} {fires}."
