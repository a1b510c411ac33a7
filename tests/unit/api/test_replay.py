"""Past runs at other instants."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linstock.messages.rules import Rules
from services.api.absences import Absence, Due, due
from services.api.dto.schedule_rules import OVERLAPS
from services.api.replay import Clash, Run, replay

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def every_minute(count: int) -> list[datetime]:
    return [NOON + minutes(number) for number in range(count)]


LONG = [Run(NOON, NOON + minutes(2.5))]


@pytest.mark.parametrize(
    ("overlap", "fired", "skipped", "delayed", "ended_other"),
    [
        ("skip", 2, 4, 0, 0),
        ("buffer_one", 4, 2, 3, 0),
        ("buffer_all", 6, 0, 5, 0),
        ("cancel_other", 6, 0, 0, 5),
    ],
)
def test_what_becomes_of_six_instants_when_each_run_takes_longer_than_the_time_between(
    overlap: str, fired: int, skipped: int, delayed: int, ended_other: int
) -> None:
    told = replay(every_minute(6), LONG, Rules(overlap=overlap))
    assert (told.fired, told.skipped, told.delayed) == (fired, skipped, delayed)
    assert told.ended_other == ended_other


def test_a_clash_says_until_when_the_other_went_on() -> None:
    told = replay(every_minute(2), LONG, Rules(overlap="buffer_one"))
    assert told.clashes == [Clash(NOON + minutes(1), NOON + minutes(2.5), "delayed")]
    assert told.longest_delay_s == 90


def test_each_instant_takes_as_long_as_the_run_of_its_moment() -> None:
    runs = [Run(NOON, NOON + minutes(0.5)), Run(NOON + minutes(2), NOON + minutes(3.5))]
    told = replay(every_minute(5), runs, Rules())
    assert [clash.instant for clash in told.clashes] == [NOON + minutes(3)]


def test_without_runs_nothing_clashes() -> None:
    assert replay(every_minute(9), [], Rules()).fired == 9


@given(
    st.lists(st.integers(0, 500), unique=True).map(sorted),
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 50))).map(sorted),
    st.sampled_from(OVERLAPS),
    st.booleans(),
)
def test_every_instant_fires_or_is_skipped(
    at: list[int], runs: list[tuple[int, int]], overlap: str, absent: bool
) -> None:
    instants = [NOON + minutes(each) for each in at]
    told = replay(
        instants, [Run(NOON + minutes(s), NOON + minutes(s + took)) for s, took in runs], Rules(overlap=overlap)
    )
    assert told.fired + told.skipped == told.instants == len(at)
    assert len(told.clashes) <= 20
    if overlap not in ("skip", "buffer_one"):
        assert told.skipped == 0


GONE = [Absence(NOON + minutes(2), NOON + minutes(5.5))]  # 2, 3, 4 and 5 pass meanwhile


@pytest.mark.parametrize(
    ("rules", "caught_up", "missed"),
    [
        (Rules(), [5], 3),
        (Rules(misfire="skip"), [5], 3),  # half a minute late is on time
        (Rules(misfire="fire_all"), [2, 3, 4, 5], 0),
        (Rules(misfire="fire_all", catchup_limit=2), [4, 5], 2),
        (Rules(misfire="fire_all", catchup_window_s=120), [4, 5], 2),
        (Rules(catchup_window_s=10), [], 4),
    ],
)
def test_what_nobody_was_there_for_is_decided_when_somebody_is_again(
    rules: Rules, caught_up: list[int], missed: int
) -> None:
    found = due(every_minute(8), GONE, rules)
    together = [Due(GONE[0].until, tuple(NOON + minutes(each) for each in caught_up))] if caught_up else []
    assert found == [
        *(Due(NOON + minutes(each), (NOON + minutes(each),)) for each in (0, 1)),
        *together,
        *(Due(NOON + minutes(each), (NOON + minutes(each),)) for each in (6, 7)),
    ]
    told = replay(every_minute(8), [], rules, GONE)
    assert (told.fired, told.caught_up, told.missed) == (8 - missed, len(caught_up), missed)


def test_under_skip_nothing_comes_back_that_is_more_than_a_minute_late() -> None:
    gone = [Absence(NOON + minutes(2), NOON + minutes(3))]
    assert replay([NOON + minutes(2), NOON + minutes(9)], [], Rules(misfire="skip"), gone).caught_up == 1
    gone = [Absence(NOON + minutes(2), NOON + minutes(3.1))]
    told = replay([NOON + minutes(2), NOON + minutes(9)], [], Rules(misfire="skip"), gone)
    assert (told.missed, told.fired) == (1, 1)


def test_what_is_caught_up_together_runs_one_after_another_unless_a_run_is_open() -> None:
    free = replay(every_minute(6), LONG, Rules(misfire="fire_all"), [Absence(NOON, NOON + minutes(5))])
    assert (free.caught_up, free.delayed, free.skipped, free.longest_delay_s) == (5, 5, 0, 5 * 150)
    gone = [Absence(NOON + minutes(1), NOON + minutes(2.2))]
    for overlap, outcome in (("skip", (0, 0, 2)), ("buffer_one", (1, 1, 1)), ("cancel_other", (2, 1, 0))):
        told = replay(every_minute(3), LONG, Rules(misfire="fire_all", overlap=overlap), gone)
        assert (told.caught_up, told.delayed, told.skipped) == outcome


def test_no_more_wait_than_may() -> None:
    told = replay(every_minute(6), [Run(NOON, NOON + minutes(60))], Rules(overlap="buffer_all", buffer_limit=2))
    assert (told.fired, told.delayed, told.skipped) == (3, 2, 3)
