"""When schedules fire next, remembered until it is past: most lists are asked for often, and instants are rare."""

from datetime import datetime

from linstock import cron, recurrence
from linstock.messages.rules import Rules, Timing

MOST = 10_000

_known: dict[tuple[Timing, Rules], tuple[datetime, datetime]] = {}


def next_instant(timing: Timing, rules: Rules, after: datetime) -> datetime | None:
    """The first instant later than `after` that may fire; None when there is none, or what is stored can't be
    understood."""
    asked, instant = _known.get((timing, rules), (None, None))
    if asked is not None and instant is not None and asked <= after < instant:
        return instant
    try:
        found = recurrence.first_inside(timing, rules, after.replace(microsecond=0))
    except cron.InvalidCron:
        return None
    if found is not None:
        if len(_known) >= MOST:
            _known.clear()
        _known[timing, rules] = (after, found)
    return found
