"""`@every 90s`: so much time between two instants, whatever the clocks on the walls do. Pure.

Counted from 1970-01-01T00:00:00Z (as Temporal's intervals are), so neither a restart nor an edit of anything else
moves the instants; a phase does: `@every 1h/10m` is ten minutes past each full hour.
"""

import re
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from linstock.cron.errors import InvalidCron

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LENGTH = r"(?:[0-9]{1,9}[dhms])+"
_EVERY = re.compile(rf"@every\s+(?P<period>{_LENGTH})(?:/(?P<phase>{_LENGTH}))?", re.ASCII | re.IGNORECASE)
_LONGEST_S = 366 * 86_400


class Every(Struct, frozen=True):
    """Both in seconds; `phase_s` is less than `period_s`."""

    period_s: int
    phase_s: int = 0

    def following(self, after: datetime, *, inclusive: bool) -> datetime | None:
        """`after` has whole seconds. None beyond the year 9999."""
        since_s = int((after - _EPOCH).total_seconds()) - self.phase_s - (1 if inclusive else 0)
        try:
            return _EPOCH + timedelta(seconds=self.phase_s + (since_s // self.period_s + 1) * self.period_s)
        except OverflowError:
            return None


def every(expression: str) -> Every | None:
    """None for what is no interval. Raises InvalidCron for an interval that can't be."""
    if not expression.lstrip().lower().startswith("@every "):
        return None
    found = _EVERY.fullmatch(expression.strip())
    if found is None:
        raise InvalidCron("expression", f"{expression.strip()!r} is no interval such as @every 90s or @every 1h30m")
    period_s, phase_s = _seconds(found["period"]), _seconds(found["phase"] or "0s")
    if not 1 <= period_s <= _LONGEST_S:
        raise InvalidCron("expression", "an interval is between 1 second and 366 days")
    if phase_s >= period_s:
        raise InvalidCron("expression", "the phase of an interval is shorter than the interval")
    return Every(period_s, phase_s)


def _seconds(length: str) -> int:
    return sum(int(number) * _UNITS[unit.lower()] for number, unit in re.findall(r"([0-9]+)([A-Za-z])", length))
