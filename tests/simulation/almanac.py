"""Which instants a plan expects, by walking over every quarter of an hour of wall time, with nothing of the product.

Obvious rather than fast: sets are matched against what the clocks on the wall show, by minute and by second.
All clock changes of the last decades happen at full quarters of an hour UTC.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from linstock.messages.rules import Timing

QUARTER_S = 900
LONGEST_GAP = 8  # quarters
DUE, MOVED, DROPPED = "due", "moved", "dropped"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Quarter(NamedTuple):
    """Fifteen minutes on the wall. `again`: the clocks show them a second time. `skipped`: those that the clocks
    skipped just before."""

    day: date
    hour: int
    minute: int
    again: bool
    skipped: tuple["Quarter", ...]


class Expected(NamedTuple):
    """`kind`: due, moved (the clocks skip it, so it is due where they go on) or dropped (it gets a verdict, and never
    fires)."""

    instant: datetime
    kind: str


@dataclass(frozen=True)
class Plan:
    """What a timing means. `every_s` and `phase_s` instead of the rest for an interval."""

    timing: Timing
    seconds: frozenset[int] = frozenset({0})
    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    on: Callable[[date], bool] = lambda _: True
    recurring: bool = False
    every_s: int = 0
    phase_s: int = 0
    _days: dict[date, bool] = field(default_factory=dict, compare=False)

    def expected(self, after: datetime, until: datetime) -> list[Expected]:
        """Later than `after`, not later than `until`; in order."""
        found = dict(self._multiples(after, until) if self.every_s else self._on_the_wall(after, until))
        return [Expected(instant, found[instant]) for instant in sorted(found) if after < instant <= until]

    def _multiples(self, after: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
        number = int((after - EPOCH).total_seconds() - self.phase_s) // self.every_s
        while (instant := EPOCH + timedelta(seconds=number * self.every_s + self.phase_s)) <= until:
            yield instant, DUE
            number += 1

    def _on_the_wall(self, after: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
        """What is dropped comes first: if it is due as well, that is what it is."""
        first = int((after - EPOCH).total_seconds()) // QUARTER_S
        last = int((until - EPOCH).total_seconds()) // QUARTER_S
        zone = ZoneInfo(self.timing.zone)
        numbers = [
            number
            for number in range(first - LONGEST_GAP, last + 1)
            if (quarter := _quarter(zone, number)).hour in self.hours or quarter.skipped
        ]
        for number in numbers:
            for moment_s in self._dropped(_quarter(zone, number)):
                yield EPOCH + timedelta(seconds=number * QUARTER_S + moment_s), DROPPED
        for number in numbers:
            for moment_s, kind in self._due(_quarter(zone, number)):
                yield EPOCH + timedelta(seconds=number * QUARTER_S + moment_s), kind

    def _due(self, quarter: Quarter) -> Iterator[tuple[int, str]]:
        literal = self.timing.clock_changes == "literal"
        if not literal and any(list(self._moments(each)) for each in quarter.skipped):
            yield 0, MOVED
        if not quarter.again or literal or self.recurring:
            yield from ((moment_s, DUE) for moment_s in self._moments(quarter))

    def _dropped(self, quarter: Quarter) -> Iterator[int]:
        """What the clocks skip, as if nobody had put them forward; and what they show again."""
        if self.timing.clock_changes == "literal":
            for number, each in enumerate(quarter.skipped):
                yield from (number * QUARTER_S + moment_s for moment_s in self._moments(each))
        elif quarter.again and not self.recurring:
            yield from self._moments(quarter)

    def _moments(self, quarter: Quarter) -> Iterator[int]:
        """Seconds since the quarter began."""
        if quarter.hour not in self.hours or not self._is_on(quarter.day):
            return
        for minute in range(15):
            if quarter.minute + minute in self.minutes:
                yield from (minute * 60 + second for second in sorted(self.seconds))

    def _is_on(self, day: date) -> bool:
        if day not in self._days:
            self._days[day] = self.on(day)
        return self._days[day]


@cache
def _quarter(zone: ZoneInfo, number: int) -> Quarter:
    """The one that begins so many quarters after 1970."""
    wall, skipped = _wall(zone, number), list[Quarter]()
    shown = _wall(zone, number - 1).replace(fold=0) + timedelta(seconds=QUARTER_S)
    while shown < wall.replace(fold=0):
        skipped.append(Quarter(shown.date(), shown.hour, shown.minute, again=False, skipped=()))
        shown += timedelta(seconds=QUARTER_S)
    return Quarter(wall.date(), wall.hour, wall.minute, again=bool(wall.fold), skipped=tuple(skipped))


@cache
def _wall(zone: ZoneInfo, number: int) -> datetime:
    return (EPOCH + timedelta(seconds=number * QUARTER_S)).astimezone(zone).replace(tzinfo=None)
