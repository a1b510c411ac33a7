"""How long the next instant of an expression takes to find, beside croniter on the same expressions."""

import random
import time
from datetime import UTC, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from croniter import croniter  # type: ignore[import-untyped]

from linstock.cron.expression import compiled
from tests.bench.figure import Figure

ZONE = "Europe/Berlin"
EXPRESSIONS = 1_000
EACH = 20
SHARE = 0.25


def evaluation(*, repetitions: int) -> list[Figure]:
    """Microseconds for the next instant in a zone that changes its clocks, the expression already compiled: the median
    over 1,000 common expressions, each asked from 20 moments of two years. croniter gets the same, in its own aware
    mode."""
    chosen = random.Random(4)
    texts = [_common(chosen) for _ in range(EXPRESSIONS)]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(seconds=chosen.randrange(2 * 365 * 86_400)) for _ in range(EACH)]
    local = [moment.astimezone(ZoneInfo(ZONE)) for moment in moments]
    ours, theirs = [], []
    for _ in range(repetitions):
        spent, reference = [], []
        for text in texts:
            timing = compiled(text, ZONE)
            matcher = croniter(text, local[0], day_or=False)
            for moment in moments[:2]:
                timing.following(moment, inclusive=False)  # the tables of its months are made
            began = time.perf_counter()
            for moment in moments:
                timing.following(moment, inclusive=False)
            spent.append((time.perf_counter() - began) / EACH * 1e6)
            began = time.perf_counter()
            for moment in local:
                matcher.get_next(datetime, start_time=moment)
            reference.append((time.perf_counter() - began) / EACH * 1e6)
        ours.append(median(spent))
        theirs.append(median(reference))
    return [
        Figure(
            name="next instant, zoned",
            unit="µs",
            samples=ours,
            at_most=median(theirs) * SHARE,
            reference="croniter",
            reference_samples=theirs,
        )
    ]


def _common(chosen: random.Random) -> str:
    minute, hour = chosen.randrange(60), chosen.randrange(24)
    shapes = (
        "* * * * *",
        f"*/{chosen.choice((2, 5, 10, 15, 20, 30))} * * * *",
        f"{minute} * * * *",
        f"{minute} */{chosen.choice((2, 3, 4, 6, 8, 12))} * * *",
        f"{minute} {hour} * * *",
        f"{minute} {hour} * * {chosen.randrange(7)}",
        f"{minute} {hour} * * 1-5",
        f"{minute} {hour} {chosen.randrange(1, 29)} * *",
        f"{minute},{(minute + 30) % 60} 8-18 * * 1-5",
    )
    return chosen.choice(shapes)
