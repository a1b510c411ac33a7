"""When schedules fire next, remembered until it is past: most lists are asked for often, and instants are rare."""

from datetime import datetime

from linstock import cron

MOST = 10_000

_known: dict[tuple[str, str], tuple[datetime, datetime]] = {}


def next_instant(expression: str, zone: str, after: datetime) -> datetime | None:
    """The first instant later than `after`; None when there is none, or what is stored can't be understood."""
    asked, instant = _known.get((expression, zone), (None, None))
    if asked is not None and instant is not None and asked <= after < instant:
        return instant
    try:
        found = cron.next(expression, zone, after.replace(microsecond=0))
    except cron.InvalidCron:
        return None
    if found is not None:
        if len(_known) >= MOST:
            _known.clear()
        _known[expression, zone] = (after, found)
    return found
