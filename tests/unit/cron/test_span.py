"""Counting instants without walking through them gives what walking gives."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linstock import cron

EXPRESSIONS = [
    "0 2 * * *", "30 2 * * *", "*/7 * * * *", "15,45 1-3 * * *", "0 0 L * *", "0 9 * * MON", "*/20 30 1-2 * * *",
    "@every 7m/3m", "0 0 31 * *", "5 2 29 2 *", "0,30 * * * *",
]  # fmt: skip
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo"]
CHANGES: list[cron.ClockChanges] = ["cronos", "literal"]


@given(
    st.sampled_from(EXPRESSIONS),
    st.sampled_from(ZONES),
    st.sampled_from(CHANGES),
    st.sampled_from([datetime(year, month, 1, tzinfo=UTC) for year in (2011, 2025, 2026) for month in (3, 4, 10, 12)]),
    st.integers(0, 30 * 86_400),
    st.integers(0, 20 * 86_400),
)
def test_a_span_is_what_walking_finds(
    expression: str, zone: str, changes: cron.ClockChanges, start: datetime, later_s: int, length_s: int
) -> None:
    after = start + timedelta(seconds=later_s)
    until = after + timedelta(seconds=length_s)
    walked = cron.due_instants(expression, zone, after, until, 1_000_000, changes=changes)
    expected = cron.Span(walked[0], walked[-1], len(walked)) if walked else None
    assert cron.span(expression, zone, after, until, changes=changes) == expected


@given(
    st.sampled_from(EXPRESSIONS),
    st.sampled_from(ZONES),
    st.sampled_from(CHANGES),
    st.sampled_from([datetime(year, month, 1, tzinfo=UTC) for year in (2011, 2025, 2026) for month in (3, 4, 10, 12)]),
    st.integers(0, 30 * 86_400),
    st.integers(0, 20 * 86_400),
    st.integers(1, 40),
)
def test_the_latest_are_the_last_that_walking_finds(
    expression: str, zone: str, changes: cron.ClockChanges, start: datetime, later_s: int, length_s: int, count: int
) -> None:
    after = start + timedelta(seconds=later_s)
    until = after + timedelta(seconds=length_s)
    walked = cron.due_instants(expression, zone, after, until, 1_000_000, changes=changes)
    assert cron.latest(expression, zone, after, until, count, changes=changes) == walked[-count:]


def test_the_latest_of_a_burst_long_ago_are_found() -> None:
    start, end = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)
    found = cron.latest("* * * 3 1 *", "UTC", start, end, 1_000)
    assert (
        found == [datetime(2025, 1, 3, 23, 59, 59, tzinfo=UTC) - timedelta(seconds=back) for back in range(1_000)][::-1]
    )


def test_a_span_may_begin_and_end_where_a_gap_does() -> None:
    gap, noon = datetime(2026, 3, 29, 1, tzinfo=UTC), timedelta(hours=12)
    after = datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    assert cron.span("30 2 * * *", "Europe/Berlin", gap - noon, after) == cron.Span(gap, after, 2)
    assert cron.span("30 2 * * *", "Europe/Berlin", gap - noon, gap) == cron.Span(gap, gap, 1)
    before = datetime(2026, 3, 28, 1, 30, tzinfo=UTC)
    assert cron.span("30 2 * * *", "Europe/Berlin", before - noon, gap) == cron.Span(before, gap, 2)


def test_years_of_seconds_are_counted_at_once() -> None:
    start, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    found = cron.span("* * * * * *", "Europe/Berlin", start, end)
    assert found == cron.Span(start + timedelta(seconds=1), end, int((end - start).total_seconds()))


@pytest.mark.parametrize(
    ("expression", "instant", "expected"),
    [
        ("30 2 * * *", "2026-03-29T01:00:00Z", True),
        ("30 2 * * *", "2026-03-30T00:30:00Z", False),
        ("0 3 * * *", "2026-03-29T01:00:00Z", False),
        ("@every 1h", "2026-03-29T01:00:00Z", False),
    ],
)
def test_an_instant_is_moved_when_the_clocks_skipped_its_wall_time(
    expression: str, instant: str, expected: bool
) -> None:
    assert cron.moved(expression, "Europe/Berlin", datetime.fromisoformat(instant)) is expected
