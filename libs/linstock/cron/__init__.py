"""When a schedule fires. Pure: no clock; the caller says after which instant. Instants are aware UTC, whole seconds.

Five fields (minute hour day month weekday) or six (seconds first), matched against wall time in an IANA zone. Day AND
weekday must both match. Where the clocks go forward, everything in the gap fires once, at its end. Where they go back,
the second pass repeats only expressions that recur within the day (a `*`, range or step in second, minute or hour).
"""

from datetime import datetime
from functools import lru_cache

from linstock.cron.errors import InvalidCron
from linstock.cron.expression import EXPRESSION_LIMIT, compiled
from linstock.cron.wall import following

__all__ = ["EXPRESSION_LIMIT", "InvalidCron", "check", "due_instants", "next_instant"]


def check(expression: str, zone: str) -> None:
    """Raises InvalidCron for what could not be scheduled, also for an expression that never matches a day."""
    compiled(expression, zone)


@lru_cache(maxsize=8_192)
def next_instant(expression: str, zone: str, after: datetime) -> datetime | None:
    """The first instant later than `after`; None when there is none in the next fifty years. Raises InvalidCron.

    Remembered: schedules with one expression share their instants, and a tick asks twice for the one after it.
    """
    return following(compiled(expression, zone), after)


def due_instants(expression: str, zone: str, after: datetime, until: datetime, limit: int) -> list[datetime]:
    """The first `limit` instants later than `after` and not later than `until`, ascending. Raises InvalidCron."""
    found: list[datetime] = []
    while len(found) < limit:
        instant = next_instant(expression, zone, found[-1] if found else after)
        if instant is None or instant > until:
            break
        found.append(instant)
    return found
