"""Past runs at other instants."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.replay import Clash, Overlap, Run, replay

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
OVERLAPS: tuple[Overlap, ...] = ("skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other")


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
    overlap: Overlap, fired: int, skipped: int, delayed: int, ended_other: int
) -> None:
    told = replay(every_minute(6), LONG, overlap)
    assert (told.fired, told.skipped, told.delayed) == (fired, skipped, delayed)
    assert told.ended_other == ended_other


def test_a_clash_says_until_when_the_other_went_on() -> None:
    told = replay(every_minute(2), LONG, "buffer_one")
    assert told.clashes == [Clash(NOON + minutes(1), NOON + minutes(2.5), "delayed")]
    assert told.longest_delay_s == 90


def test_each_instant_takes_as_long_as_the_run_of_its_moment() -> None:
    runs = [Run(NOON, NOON + minutes(0.5)), Run(NOON + minutes(2), NOON + minutes(3.5))]
    told = replay(every_minute(5), runs, "skip")
    assert [clash.instant for clash in told.clashes] == [NOON + minutes(3)]


def test_without_runs_nothing_clashes() -> None:
    assert replay(every_minute(9), [], "skip").fired == 9


@given(
    st.lists(st.integers(0, 500), unique=True).map(sorted),
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 50))).map(sorted),
    st.sampled_from(OVERLAPS),
)
def test_every_instant_fires_or_is_skipped(at: list[int], runs: list[tuple[int, int]], overlap: Overlap) -> None:
    instants = [NOON + minutes(each) for each in at]
    told = replay(instants, [Run(NOON + minutes(s), NOON + minutes(s + took)) for s, took in runs], overlap)
    assert told.fired + told.skipped == told.instants == len(at)
    assert len(told.clashes) <= 20
    if overlap not in ("skip", "buffer_one"):
        assert told.skipped == 0
