"""A cron expression in English. Pure: nothing is evaluated, nothing is asked what time it is."""

from contextlib import suppress
from functools import lru_cache

from cron_descriptor import ExpressionDescriptor, Options  # type: ignore[import-untyped]
from cron_descriptor.Exception import FormatError, MissingFieldError  # type: ignore[import-untyped]

from linstock.cron.errors import InvalidCron
from linstock.cron.fields import EXPRESSION_LIMIT, FIELDS, spelled_out
from linstock.cron.interval import Every, every

_ANY = ("*", "?")


@lru_cache(maxsize=4096)
def explain(expression: str, zone: str = "", days: str = "and") -> str:
    """`At 02:00, every day, Europe/Berlin`. `days` is and | or, as `cron.next` takes it. Meant for what `cron.check`
    has let through; what cannot be worded nicely is named field by field, so this never fails."""
    with suppress(InvalidCron):
        if interval := every(expression):
            return _every(interval)
    fields = spelled_out(expression)[:EXPRESSION_LIMIT].split()
    words = _worded(fields, either=days == "or") or _by_field(fields)
    return f"{words}, {zone}" if zone else words


def _every(interval: Every) -> str:
    """Zones are nothing to it."""
    length = _length(interval.period_s)
    words = f"Every {length.removeprefix('1 ') if ' and ' not in length else length}"
    return f"{words}, {_length(interval.phase_s)} later than full ones" if interval.phase_s else words


def _length(seconds: int) -> str:
    found = []
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            found.append(f"{count} {unit}s" if count > 1 else f"1 {unit}")
    return " and ".join(found) if found != ["1 day"] else "24 hours"


def _worded(fields: list[str], *, either: bool) -> str | None:
    if len(fields) not in (5, 6):
        return None
    *time, day, month, weekday = fields
    try:
        words = _described([*time, "*", month, weekday] if day in _ANY else [*time, day, month, "*"])
        if day not in _ANY and weekday not in _ANY:  # the library says "or" whatever is meant
            on = _described(["0", "0", "*", "*", weekday]).partition(", ")[2]
            words += f", or {on.removeprefix('only ')}" if either else f", and {on}"
    except (FormatError, MissingFieldError, ValueError, IndexError, KeyError):
        return None
    every_day = day in _ANY and weekday in _ANY and month in _ANY
    return f"{words}, every day" if every_day and words.startswith("At ") else words


def _described(fields: list[str]) -> str:
    options = Options()
    options.locale_code, options.use_24hour_time_format, options.verbose = "en_US", True, False
    described: str = ExpressionDescriptor(" ".join(fields), options).get_description()
    return described


def _by_field(fields: list[str]) -> str:
    known = FIELDS[-len(fields) :] if 0 < len(fields) <= len(FIELDS) else ()
    return ", ".join(f"{each.name} {text}" for each, text in zip(known, fields, strict=False)) or "Never"
