"""A cron expression, checked and compiled. Compiled ones are interned: most schedules share few.

Matching is croniter's, on naive wall time; only what it matches as documented is let through.
"""

import copy
import re
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, CroniterError, croniter  # type: ignore[import-untyped]

from linstock.cron.errors import InvalidCron

EXPRESSION_LIMIT = 100  # characters
ZONE_LIMIT = 64
ORIGIN = datetime(2024, 1, 1)  # noqa: DTZ001  # wall time has no zone
FIELDS = ("second", "minute", "hour", "day", "month", "weekday")
HIGHEST = {"second": 59, "minute": 59, "hour": 23, "day": 31, "month": 12, "weekday": 7}

NAME = r"[A-Za-z]{3}"
NUMBER = r"\d{1,2}"
VALUE = rf"(?:{NUMBER}|{NAME})"
PART = re.compile(rf"(?:\*|\?|{VALUE}(?:-{VALUE})?)(?:/(?P<step>\d{{1,2}}))?|[Ll]|{NUMBER}[Ll]|{VALUE}#[1-5]")
RECURRING = re.compile(r"[*?/-]")


class Compiled:
    """One expression in one zone. `interval`: it recurs within the day, so the second pass of a clock change counts."""

    def __init__(self, expression: str, zone: str) -> None:
        self.zone = _zone(zone)
        fields = _fields(expression)
        self.interval = any(RECURRING.search(field) for field in fields[:3])
        self._matcher = _matcher(fields)
        if self.after(ORIGIN) is None:
            raise InvalidCron("day", "no such day ever comes")

    def after(self, wall: datetime) -> datetime | None:
        """The first matching wall time later than `wall` (both naive); None when there is none in fifty years."""
        matcher = copy.copy(self._matcher)  # it remembers where it is; a copy makes this safe from any thread
        try:
            found: datetime = matcher.get_next(datetime, start_time=wall.replace(microsecond=0))
        except CroniterBadDateError:
            return None
        return found


@lru_cache(maxsize=65_536)
def compiled(expression: str, zone: str) -> Compiled:
    """Raises InvalidCron."""
    return Compiled(expression, zone)


def _zone(name: str) -> ZoneInfo:
    if not 0 < len(name) <= ZONE_LIMIT:
        raise InvalidCron("zone", f"a time zone has 1 to {ZONE_LIMIT} characters")
    if name in ("localtime", "posixrules"):
        raise InvalidCron("zone", f"{name!r} means another zone on each machine: name the zone")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidCron("zone", f"there is no time zone {name!r}") from error


def _fields(expression: str) -> list[str]:
    if len(expression) > EXPRESSION_LIMIT:
        raise InvalidCron("expression", f"it is longer than {EXPRESSION_LIMIT} characters")
    fields = expression.split()
    if len(fields) not in (5, 6):
        raise InvalidCron("expression", f"it has {len(fields)} fields; it needs 5, or 6 with seconds first")
    fields = ["0", *fields] if len(fields) == 5 else fields
    return [_field(name, field) for name, field in zip(FIELDS, fields, strict=True)]


def _field(name: str, field: str) -> str:
    parts = field.split(",")
    for part in parts:
        match = PART.fullmatch(part)
        if match is None:
            raise InvalidCron(name, f"{part!r} is not understood")
        if match["step"] and not 1 <= int(match["step"]) <= HIGHEST[name]:
            raise InvalidCron(name, f"a step is between 1 and {HIGHEST[name]}, not {match['step']}")
        if _wraps(part) and match["step"]:
            raise InvalidCron(name, f"{part!r}: a range that wraps around cannot have a step")
        if part[0] in "*?" and len(parts) > 1:
            raise InvalidCron(name, f"{part!r} cannot be part of a list")
    return ",".join(_spelling(name, part) for part in parts)


def _wraps(part: str) -> bool:
    first, dash, rest = part.partition("-")
    last = rest.partition("/")[0]
    return bool(dash) and not (first.isdigit() and last.isdigit() and int(first) <= int(last))


def _spelling(name: str, part: str) -> str:
    """As croniter spells it: `*` for `?`, and `L5` for the last Friday."""
    if part.startswith("?"):
        return "*" + part[1:]
    if name == "weekday" and re.fullmatch(r"\d[Ll]", part):
        return "L" + part[0]
    return part


def _matcher(fields: list[str]) -> croniter:
    for index, (name, field) in enumerate(zip(FIELDS, fields, strict=True)):
        alone = ["*"] * 6
        alone[index] = field
        try:  # one field at a time, to be able to say which one is wrong
            croniter(" ".join(alone), ORIGIN, second_at_beginning=True, day_or=False)
        except (CroniterError, ValueError, KeyError) as error:
            raise InvalidCron(name, f"{field!r} is not understood") from error
    return croniter(" ".join(fields), ORIGIN, second_at_beginning=True, day_or=False)
