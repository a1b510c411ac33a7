"""Which wall times an expression matches: a walk over its fields, largest step first. Pure; wall time has no zone.

Each field is a table that says, for every number, the first allowed number from it on. Days depend on the month's shape
alone (its length and the weekday of its first), of which there are 28: their tables are made once.
"""

from datetime import MAXYEAR, datetime

from linstock.cron.fields import DayRule, FromLast, LastWeekday, Nearest, NthWeekday, Parsed, Values, WeekdayRule

NONE = 99
"""In a table: nothing from here on. Larger than every number of every field."""

YEARS = 50
"""What does not come within so many never comes: Gregorian months repeat within 40 years, over 2100 too."""

Table = tuple[int, ...]


class Calendar:
    """`either`: a day need only match one of day and weekday, when both are restricted (Vixie cron)."""

    __slots__ = ("_days", "_either", "_hours", "_minutes", "_months", "_parsed", "_seconds")

    def __init__(self, parsed: Parsed, *, either: bool) -> None:
        self._seconds = _table(parsed.seconds, 60)
        self._minutes = _table(parsed.minutes, 60)
        self._hours = _table(parsed.hours, 24)
        self._months = _table(parsed.months, 13)
        self._parsed = parsed
        self._either = either and not parsed.any_day and not parsed.any_weekday
        self._days: dict[tuple[int, int], Table] = {}

    def at_or_after(self, wall: datetime) -> datetime | None:
        """The first match from `wall` (naive, whole seconds) on; None when there is none in fifty years."""
        year, month, day = wall.year, wall.month, wall.day
        hour, minute, second = wall.hour, wall.minute, wall.second
        hours, minutes, seconds = self._hours, self._minutes, self._seconds
        if self._months[month] == month and self._month(year, month)[day] == day:
            if hours[hour] == hour:
                if minutes[minute] == minute and (found := seconds[second]) != NONE:
                    return datetime(year, month, day, hour, minute, found)  # noqa: DTZ001
                if (found := minutes[minute + 1]) != NONE:
                    return datetime(year, month, day, hour, found, seconds[0])  # noqa: DTZ001
            if (found := hours[hour + 1]) != NONE:
                return datetime(year, month, day, found, minutes[0], seconds[0])  # noqa: DTZ001
        date = self._date(year, month, day + 1)
        return datetime(*date, hours[0], minutes[0], seconds[0]) if date else None  # noqa: DTZ001

    def count(self, start: datetime, end: datetime) -> int:
        """How many wall times from `start` on and before `end` match. Costs about a microsecond for each day."""
        parsed, total = self._parsed, 0
        a_day = len(parsed.hours) * len(parsed.minutes) * len(parsed.seconds)
        last = (end.year, end.month, end.day)
        date = self._date(start.year, start.month, start.day)
        if date == (start.year, start.month, start.day):
            total -= self._earlier(start)
        while date and date < last:
            total += a_day
            year, month, day = date
            date = self._date(year, month, day + 1)
        return total + self._earlier(end) if date == last else total

    def _earlier(self, wall: datetime) -> int:
        """How many times of a day match before this one."""
        parsed, minutes, seconds = self._parsed, len(self._parsed.minutes), len(self._parsed.seconds)
        total = sum(1 for hour in parsed.hours if hour < wall.hour) * minutes * seconds
        if wall.hour in parsed.hours:
            total += sum(1 for minute in parsed.minutes if minute < wall.minute) * seconds
            if wall.minute in parsed.minutes:
                total += sum(1 for second in parsed.seconds if second < wall.second)
        return total

    def _date(self, year: int, month: int, day: int) -> tuple[int, int, int] | None:
        """The first matching date; `day` may be one past the month's end."""
        until = min(year + YEARS, MAXYEAR)
        while year <= until:
            found = self._months[month]
            if found == month and (match := self._month(year, month)[day]) != NONE:
                return year, month, match
            day = 1
            month = self._months[month + 1] if month < 12 else NONE
            if month == NONE:
                year, month = year + 1, self._months[1]
        return None

    def _month(self, year: int, month: int) -> Table:
        shape = _shape(year, month)
        table = self._days.get(shape)
        if table is None:
            table = self._days[shape] = _table(self._matching(*shape), 32)
        return table

    def _matching(self, first_weekday: int, length: int) -> frozenset[int]:
        by_day = _days(self._parsed.days, first_weekday, length)
        by_weekday = _weekdays(self._parsed.weekdays, first_weekday, length)
        return frozenset(by_day | by_weekday if self._either else by_day & by_weekday)


def _table(values: Values, size: int) -> Table:
    """For each number up to and including `size` the first value from it on."""
    table, following = [], NONE
    for number in range(size, -1, -1):
        following = number if number in values else following
        table.append(following)
    return tuple(reversed(table))


def _shape(year: int, month: int) -> tuple[int, int]:
    """The weekday of the month's first (0: Sunday) and its length."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    length = 29 if month == 2 and leap else _LENGTHS[month]
    return (datetime(year, month, 1).weekday() + 1) % 7, length  # noqa: DTZ001


_LENGTHS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _days(rule: DayRule, first_weekday: int, length: int) -> set[int]:
    match rule:
        case FromLast(back=back, workday=workday):
            day = length - back
            if day < 1:
                return set()
            return {_workday(day, first_weekday, length) if workday else day}
        case Nearest(day=day):
            return {_workday(day, first_weekday, length)} if day <= length else set()
        case _:
            return {day for day in rule if day <= length}


def _weekdays(rule: WeekdayRule, first_weekday: int, length: int) -> set[int]:
    match rule:
        case LastWeekday(weekday=weekday):
            return {max(_each(weekday, first_weekday, length))}
        case NthWeekday(weekday=weekday, nth=nth):
            return set(_each(weekday, first_weekday, length)[nth - 1 : nth])
        case _:
            return {day for weekday in rule for day in _each(weekday, first_weekday, length)}


def _each(weekday: int, first_weekday: int, length: int) -> list[int]:
    return list(range(1 + (weekday - first_weekday) % 7, length + 1, 7))


def _workday(day: int, first_weekday: int, length: int) -> int:
    """Monday to Friday, in the same month."""
    weekday = (first_weekday + day - 1) % 7
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 0:
        return day + 1 if day < length else day - 2
    return day
