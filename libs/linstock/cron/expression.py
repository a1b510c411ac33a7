"""An expression in a zone, compiled. Compiled ones are interned: most schedules share few."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from linstock.cron import interval, wall
from linstock.cron.calendar import Calendar
from linstock.cron.errors import InvalidCron
from linstock.cron.fields import EXPRESSION_LIMIT, parse
from linstock.cron.interval import Every

ZONE_LIMIT = 64
ORIGIN = datetime(2024, 1, 1, tzinfo=UTC)

Days = Literal["and", "or"]
"""Which days match when both day and weekday are restricted: those that match both, or either (Vixie cron)."""

ClockChanges = Literal["cronos", "literal"]
"""`cronos`: what falls into a gap fires once at its end, and what comes twice fires once unless it recurs within the
day. `literal`: what falls into a gap does not fire, and what comes twice fires twice."""


class InZone:
    """Fields that are matched against wall time."""

    __slots__ = ("calendar", "gaps", "parsed", "repeats", "zone")

    def __init__(self, expression: str, zone: ZoneInfo, days: Days, changes: ClockChanges) -> None:
        self.parsed = parse(expression)
        self.calendar = Calendar(self.parsed, either=days == "or")
        self.zone = zone
        self.gaps = changes == "cronos"
        self.repeats = changes == "literal" or self.parsed.interval

    def following(self, after: datetime, *, inclusive: bool) -> datetime | None:
        """`after` is aware and has whole seconds."""
        try:
            return wall.following(
                self.calendar, self.zone, after, inclusive=inclusive, gaps=self.gaps, repeats=self.repeats
            )
        except OverflowError:  # the zone's midnight lies beyond the year 9999
            return None


@lru_cache(maxsize=65_536)
def compiled(expression: str, zone: str, days: Days = "and", changes: ClockChanges = "cronos") -> InZone | Every:
    """Raises InvalidCron."""
    found = _zone(zone)
    if len(expression) > EXPRESSION_LIMIT:
        raise InvalidCron("expression", f"it is longer than {EXPRESSION_LIMIT} characters")
    return interval.every(expression) or InZone(expression, found, days, changes)


def _zone(name: str) -> ZoneInfo:
    if not 0 < len(name) <= ZONE_LIMIT:
        raise InvalidCron("zone", f"a time zone has 1 to {ZONE_LIMIT} characters")
    if name in ("localtime", "posixrules"):
        raise InvalidCron("zone", f"{name!r} means another zone on each machine: name the zone")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidCron("zone", f"there is no time zone {name!r}") from error
