"""When a schedule fires. Pure: no clock; the caller says after which instant. Instants are aware UTC, whole seconds.

Five fields (minute hour day month weekday) or six (seconds first), macros such as `@daily`, or an interval such as
`@every 90s`. Fields are matched against wall time in an IANA zone; day AND weekday must both match, unless told `or`.
Where the clocks go forward, everything in the gap fires once, at its end. Where they go back, the second pass repeats
only expressions that recur within the day (a `*`, range or step in second, minute or hour); `literal` does neither.
"""

from datetime import datetime
from functools import lru_cache

from linstock.cron.dropped import dropped, moved_to
from linstock.cron.errors import InvalidCron
from linstock.cron.expression import ORIGIN, ClockChanges, Days, compiled
from linstock.cron.fields import EXPRESSION_LIMIT
from linstock.cron.interval import every
from linstock.cron.span import Span, latest, moved, span

__all__ = [
    "EXPRESSION_LIMIT",
    "ClockChanges",
    "Days",
    "InvalidCron",
    "Span",
    "check",
    "dropped",
    "due_instants",
    "every",
    "latest",
    "moved",
    "moved_to",
    "next",
    "span",
]


def check(expression: str, zone: str, *, days: Days = "and") -> None:
    """Raises InvalidCron for what could not be scheduled, also for an expression that never matches a day."""
    if compiled(expression, zone, days).following(ORIGIN, inclusive=True) is None:
        raise InvalidCron("day", "no such day ever comes")


@lru_cache(maxsize=8_192)
def next(  # noqa: A001  # `cron.next` reads as what it is
    expression: str,
    zone: str,
    after: datetime,
    *,
    inclusive: bool = False,
    days: Days = "and",
    changes: ClockChanges = "cronos",
) -> datetime | None:
    """The first instant later than `after`, or `inclusive` of it; None when there is none in fifty years. Raises
    InvalidCron. Asked for the very end of a gap, `inclusive` does not look back into the gap, as Cronos does not: ask
    for what is later than a second before.

    Remembered: schedules with one expression share their instants, and a tick asks twice for the one after it.
    """
    whole = after.replace(microsecond=0)
    return compiled(expression, zone, days, changes).following(whole, inclusive=inclusive and whole == after)


def due_instants(
    expression: str,
    zone: str,
    after: datetime,
    until: datetime,
    limit: int,
    *,
    days: Days = "and",
    changes: ClockChanges = "cronos",
) -> list[datetime]:
    """The first `limit` instants later than `after` and not later than `until`, ascending. Raises InvalidCron."""
    found: list[datetime] = []
    while len(found) < limit:
        instant = next(expression, zone, found[-1] if found else after, days=days, changes=changes)
        if instant is None or instant > until:
            break
        found.append(instant)
    return found
