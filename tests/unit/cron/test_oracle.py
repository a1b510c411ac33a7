"""Our evaluator against croniter, on what both understand alike: wall time, plain values, ranges, steps, lists."""

from datetime import UTC, datetime, timedelta
from typing import Literal

from croniter import CroniterBadDateError, croniter  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from linstock import cron
from linstock.cron.fields import FIELDS, Field


def part(field: Field) -> st.SearchStrategy[str]:
    high = 6 if field.name == "weekday" else field.high
    number = st.integers(field.low, high)
    bounds = st.tuples(number, number).map(sorted).filter(lambda pair: pair[0] < pair[1])
    step = st.integers(1, field.high)
    return st.one_of(
        number.map(str),
        bounds.map(lambda pair: f"{pair[0]}-{pair[1]}"),
        st.tuples(bounds, step).map(lambda both: f"{both[0][0]}-{both[0][1]}/{both[1]}"),
    )


def field_of(field: Field) -> st.SearchStrategy[str]:
    lists = st.lists(part(field), min_size=1, max_size=3).map(",".join)
    stars = st.integers(1, field.high if field.name != "weekday" else 6).map(lambda step: f"*/{step}")
    return st.one_of(st.just("*"), st.just("*"), stars, lists)


EXPRESSIONS = st.tuples(*map(field_of, FIELDS)).map(" ".join)
AFTER = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001


@given(EXPRESSIONS, AFTER, st.sampled_from(["and", "or"]))
def test_the_next_instants_are_croniters(expression: str, after: datetime, days: Literal["and", "or"]) -> None:
    if len(expression) > cron.EXPRESSION_LIMIT:
        return
    # With a step on `*` croniter takes the day for restricted, as Vixie cron does not: there they differ.
    _, _, _, day, _, weekday = expression.split()
    if days == "or" and ("*/" in day or "*/" in weekday):
        return
    oracle = croniter(expression, after, second_at_beginning=True, day_or=days == "or")
    instant: datetime | None = after.replace(tzinfo=UTC)
    for _ in range(4):
        assert instant is not None
        try:
            expected = oracle.get_next(datetime).replace(tzinfo=UTC)
        except CroniterBadDateError:
            expected = None
        instant = cron.next(expression, "UTC", instant, days=days)
        assert instant == expected
        if expected is None:
            return


@given(EXPRESSIONS, st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]), AFTER)
def test_every_instant_but_a_gaps_end_shows_a_matching_wall_time(expression: str, zone: str, after: datetime) -> None:
    found = cron.next(expression, zone, after.replace(tzinfo=UTC))
    if found is None:
        return
    compared = cron.next(expression, zone, found - timedelta(seconds=1))
    assert compared == found, "asked from just before, it is the same"
    assert cron.next(expression, zone, after.replace(tzinfo=UTC), changes="literal") is not None
