"""A cron expression in English. Pure: nothing is evaluated, nothing is asked what time it is."""

from functools import lru_cache

from cron_descriptor import ExpressionDescriptor, Options  # type: ignore[import-untyped]
from cron_descriptor.Exception import FormatError, MissingFieldError  # type: ignore[import-untyped]

from linstock.cron.expression import EXPRESSION_LIMIT, FIELDS

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
_ANY = ("*", "?")


def spelled_out(expression: str) -> str:
    """The fields that a macro such as `@daily` stands for; anything else as it is."""
    return MACROS.get(expression.strip().lower(), expression)


@lru_cache(maxsize=4096)
def explain(expression: str, zone: str = "") -> str:
    """`At 02:00, every day, Europe/Berlin`. Meant for what `cron.check` has let through; what cannot be worded nicely
    is named field by field, so this never fails."""
    fields = spelled_out(expression)[:EXPRESSION_LIMIT].split()
    words = _worded(fields) or _by_field(fields)
    return f"{words}, {zone}" if zone else words


def _worded(fields: list[str]) -> str | None:
    if len(fields) not in (5, 6):
        return None
    *time, day, month, weekday = fields
    try:
        words = _described([*time, "*", month, weekday] if day in _ANY else [*time, day, month, "*"])
        if day not in _ANY and weekday not in _ANY:  # both must match here; the library would say "or"
            words += f", and {_described(['0', '0', '*', '*', weekday]).partition(', ')[2]}"
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
    names = FIELDS[-len(fields) :] if 0 < len(fields) <= len(FIELDS) else ()
    return ", ".join(f"{name} {field}" for name, field in zip(names, fields, strict=False)) or "Never"
