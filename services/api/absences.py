"""What becomes of instants at which nobody was there, under a misfire rule. Pure.

An absence is known by what it made late: it began no later than the first instant that was missed, and ended when that
was decided.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

from msgspec import Struct

from linstock.messages.rules import Rules

ON_TIME = timedelta(seconds=60)  # what is not later fires whatever the rule says


class Absence(Struct, frozen=True):
    """`until`: somebody is there again."""

    since: datetime
    until: datetime


class Due(Struct, frozen=True):
    """What is to fire at `at`: one instant, its own time; after an absence those that are caught up, each behind the
    one before it."""

    at: datetime
    instants: tuple[datetime, ...]


def due(instants: Sequence[datetime], absences: Sequence[Absence], rules: Rules) -> list[Due]:
    """`instants` and `absences` ascend, and no absence overlaps another. What does not come back is missed."""
    ends = {instant: each.until for instant, each in _absent(instants, absences)}
    found = list[Due]()
    for at, together in groupby(instants, key=lambda instant: ends.get(instant, instant)):
        listed = tuple(together)
        kept = _caught_up(listed, at, rules)
        if kept:
            found.append(Due(at, kept))
    return found


def _absent(instants: Sequence[datetime], absences: Sequence[Absence]) -> list[tuple[datetime, Absence]]:
    found, left = list[tuple[datetime, Absence]](), list(reversed(absences))
    for instant in instants:
        while left and left[-1].until <= instant:
            left.pop()
        if left and left[-1].since <= instant:
            found.append((instant, left[-1]))
    return found


def _caught_up(instants: tuple[datetime, ...], at: datetime, rules: Rules) -> tuple[datetime, ...]:
    recent = tuple(each for each in instants if at - each <= timedelta(seconds=rules.catchup_window_s))
    match rules.misfire:
        case "fire_all":
            return recent[-rules.catchup_limit :]
        case "skip":
            return tuple(each for each in recent[-1:] if at - each <= ON_TIME)
        case _:
            return recent[-1:]
