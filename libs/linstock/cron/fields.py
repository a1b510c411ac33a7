"""The text of a cron expression, field by field: what is allowed, and which values it stands for. Pure.

The grammar is that of Cronos 0.13 (Hangfire's): lists, ranges (also around the end, in their step's phase), `*` and
`?` alone; for days `L`, `L-n`, `nW`, `LW`, `L-nW` and for weekdays `nL`, `n#k`, each alone in its field.
Plain values, ranges and steps are expanded by croniter; the rest it gets wrong or does not know.
"""

import re

from croniter import croniter  # type: ignore[import-untyped]
from msgspec import Struct

from linstock.cron.errors import InvalidCron

EXPRESSION_LIMIT = 100  # characters

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
    "@every_minute": "* * * * *",
    "@every_second": "* * * * * *",
}

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_ANY = ("*", "?")

_PART = re.compile(
    r"(?P<first>\*|\?|[0-9]{1,2}|[A-Z]{3})(?:-(?P<last>[0-9]{1,2}|[A-Z]{3}))?(?:/(?P<step>[0-9]{1,2}))?", re.ASCII
)
_FROM_LAST = re.compile(r"L(?:-(?P<back>[0-9]{1,2}))?(?P<workday>W)?", re.ASCII)
_NEAREST = re.compile(r"(?P<day>[0-9]{1,2})W", re.ASCII)
_LAST_WEEKDAY = re.compile(r"(?P<weekday>[0-9]{1,2}|[A-Z]{3})L", re.ASCII)
_NTH_WEEKDAY = re.compile(r"(?P<weekday>[0-9]{1,2}|[A-Z]{3})#(?P<nth>[1-5])", re.ASCII)
_RECURRING = re.compile(r"[*?/-]")


class Field(Struct, frozen=True):
    """One place in an expression: its name, its lowest and highest number, and the names of its values."""

    name: str
    low: int
    high: int
    names: dict[str, int] = {}

    @property
    def size(self) -> int:
        """How many values there are: Sunday has two numbers."""
        return 7 if self.name == "weekday" else self.high - self.low + 1


FIELDS = (
    Field("second", 0, 59),
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day", 1, 31),
    Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    Field("weekday", 0, 7, {name: number for number, name in enumerate(_WEEKDAYS)}),
)


class FromLast(Struct, frozen=True):
    """`L`, `L-3`: so many days before the month's last. With `workday`, `LW`, `L-3W`: the workday nearest to that."""

    back: int
    workday: bool


class Nearest(Struct, frozen=True):
    """`15W`: the workday of the same month that is nearest to this day. A shorter month has none."""

    day: int


class LastWeekday(Struct, frozen=True):
    """`5L`: the month's last Friday."""

    weekday: int


class NthWeekday(Struct, frozen=True):
    """`1#2`: the month's second Monday."""

    weekday: int
    nth: int


Values = frozenset[int]
DayRule = Values | FromLast | Nearest
WeekdayRule = Values | LastWeekday | NthWeekday


class Parsed(Struct, frozen=True, kw_only=True):
    """What an expression stands for. Weekdays count from Sunday, 0. `interval`: it recurs within the day (Cronos: a
    `*`, a range or a step in second, minute or hour), so it goes on through both passes of a clock change.
    `any_day`, `any_weekday`: `*` or `?`, which restricts nothing."""

    seconds: Values
    minutes: Values
    hours: Values
    days: DayRule
    months: Values
    weekdays: WeekdayRule
    interval: bool
    any_day: bool
    any_weekday: bool


def spelled_out(expression: str) -> str:
    """The fields that a macro such as `@daily` stands for; anything else as it is."""
    return MACROS.get(expression.strip().lower(), expression)


def parse(expression: str) -> Parsed:
    """Raises InvalidCron."""
    if len(expression) > EXPRESSION_LIMIT:
        raise InvalidCron("expression", f"it is longer than {EXPRESSION_LIMIT} characters")
    texts = spelled_out(expression).upper().split()
    if texts and texts[0].startswith("@"):
        known = ", ".join(sorted(MACROS))
        raise InvalidCron("expression", f"there is no {expression.strip()!r}; there are {known} and such as @every 90s")
    if len(texts) not in (5, 6):
        raise InvalidCron("expression", f"it has {len(texts)} fields; it needs 5, or 6 with seconds first")
    texts = ["0", *texts] if len(texts) == 5 else texts
    seconds, minutes, hours, days, months, weekdays = (
        _field(field, text) for field, text in zip(FIELDS, texts, strict=True)
    )
    return Parsed(
        seconds=_plain(seconds),
        minutes=_plain(minutes),
        hours=_plain(hours),
        days=days,  # type: ignore[arg-type]
        months=_plain(months),
        weekdays=weekdays,  # type: ignore[arg-type]
        interval=any(_RECURRING.search(text) for text in texts[:3]),
        any_day=texts[3] in _ANY,
        any_weekday=texts[5] in _ANY,
    )


def _plain(rule: DayRule | WeekdayRule) -> Values:
    assert isinstance(rule, frozenset)
    return rule


def _field(field: Field, text: str) -> DayRule | WeekdayRule:
    if special := _special(field, text):
        return special
    parts = text.split(",")
    values: set[int] = set()
    for part in parts:
        values |= _part(field, part, alone=len(parts) == 1)
    return frozenset(values)


def _special(field: Field, text: str) -> DayRule | WeekdayRule | None:
    """What only days and weekdays have, alone in their field."""
    if field.name == "day":
        if found := _FROM_LAST.fullmatch(text):
            back = int(found["back"] or 0)
            if back > 30:
                raise InvalidCron("day", f"{text!r}: no month has more than 30 days before its last")
            return FromLast(back=back, workday=bool(found["workday"]))
        if found := _NEAREST.fullmatch(text):
            return Nearest(_number(field, found["day"], text))
    if field.name == "weekday":
        if found := _LAST_WEEKDAY.fullmatch(text):
            return LastWeekday(_number(field, found["weekday"], text) % 7)
        if found := _NTH_WEEKDAY.fullmatch(text):
            return NthWeekday(_number(field, found["weekday"], text) % 7, int(found["nth"]))
    return None


def _part(field: Field, part: str, *, alone: bool) -> set[int]:
    found = _PART.fullmatch(part)
    if found is None:
        raise InvalidCron(field.name, f"{part.lower()!r} is not understood" if part else "a value is missing")
    any_value = found["first"] in _ANY
    if any_value and (found["last"] or not alone):
        raise InvalidCron(
            field.name, f"{found['first']!r} stands for every value: it cannot be part of a list or range"
        )
    step = int(found["step"]) if found["step"] else None
    if step is not None and not 1 <= step <= field.high:
        raise InvalidCron(field.name, f"a step is between 1 and {field.high}, not {found['step']}")
    first = field.low if any_value else _number(field, found["first"], part)
    if found["last"]:
        last = _number(field, found["last"], part)
    else:
        last = first if step is None and not any_value else field.high
    return _expanded(field, first, last, step or 1)


def _number(field: Field, text: str, part: str) -> int:
    if not text.isdigit():
        if text not in field.names:
            raise InvalidCron(field.name, f"{part.lower()!r} is not understood")
        return field.names[text]
    number = int(text)
    if not field.low <= number <= field.high:
        raise InvalidCron(field.name, f"{number} is not between {field.low} and {field.high}")
    return number


def _expanded(field: Field, first: int, last: int, step: int) -> set[int]:
    if first > last:
        # Around the end, in the phase of its step: 50-10/20 is 50, 10.
        return {(value - field.low) % field.size + field.low for value in range(first, last + field.size + 1, step)}
    alone = ["*"] * len(FIELDS)
    alone[FIELDS.index(field)] = f"{first}-{last}/{step}" if first < last else str(first)
    expanded = croniter.expand(" ".join(alone), second_at_beginning=True)[0]
    # croniter puts the seconds last; it says "*" for all there are.
    places = {"minute": 0, "hour": 1, "day": 2, "month": 3, "weekday": 4, "second": 5}
    values: list[int | str] = expanded[places[field.name]]
    if values == ["*"]:
        return set(range(field.low, field.low + field.size))
    return {int(value) % 7 if field.name == "weekday" else int(value) for value in values}
