"""What the clocks take away, against cases made by hand and a walk over every second pass and skipped wall time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linstock import cron

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
AZORES, MOSCOW, APIA = "Atlantic/Azores", "Europe/Moscow", "Pacific/Apia"
DAY = timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def taken(expression: str, zone: str, day: str, changes: cron.ClockChanges, *, days: int = 2) -> list[str]:
    """From two days before on, as day and time of UTC."""
    start = utc(day) - DAY * 2
    found = cron.dropped(expression, zone, start, start + DAY * (days + 2), changes=changes)
    return [f"{instant:%d %H:%M}" for instant in found]


@pytest.mark.parametrize(
    ("expression", "zone", "day", "expected"),
    [
        ("30 2 * * *", BERLIN, "2026-03-29", ["29 01:30"]),
        ("0 2 * * *", BERLIN, "2026-03-29", ["29 01:00"]),  # the gap's end itself, which nothing stands for
        ("0 3 * * *", BERLIN, "2026-03-29", []),
        ("15,45 2 * * *", BERLIN, "2026-03-29", ["29 01:15", "29 01:45"]),
        ("15,45 2,3 * * *", BERLIN, "2026-03-29", []),  # 03:15 and 03:45 are the same instants
        ("*/30 * * * *", BERLIN, "2026-03-29", []),
        ("*/20 2 * * *", BERLIN, "2026-03-29", ["29 01:00", "29 01:20", "29 01:40"]),
        ("30 2 * * *", BERLIN, "2026-10-25", []),  # it fires twice
        ("30 2 * * *", NEW_YORK, "2026-03-08", ["08 07:30"]),
        ("10 2 * * *", LORD_HOWE, "2026-10-04", ["03 15:40"]),
        ("10,40 2 * * *", LORD_HOWE, "2026-10-04", []),  # half an hour is skipped: 02:40 is when 02:10 would have been
        ("*/20 * * * *", LORD_HOWE, "2026-10-04", ["03 15:30", "03 15:50"]),  # 02:00 and 02:20; 02:40 is between
        ("30 0 * * *", AZORES, "2026-03-29", ["29 01:30"]),
        ("30 2 * * *", MOSCOW, "2011-03-27", ["26 23:30"]),  # to summer time for good
        ("0 12 30 12 *", APIA, "2011-12-30", ["30 22:00"]),  # there was no such day
        ("0 12 * * *", APIA, "2011-12-30", []),  # a day later by the calendar, 24 hours by the clock
        ("0 12 * * FRI", APIA, "2011-12-30", ["30 22:00"]),
        ("@every 7m", BERLIN, "2026-03-29", []),
    ],
)
def test_literally_what_is_skipped_is_taken_away(expression: str, zone: str, day: str, expected: list[str]) -> None:
    assert taken(expression, zone, day, "literal") == expected
    if day != "2026-10-25":
        assert taken(expression, zone, day, "cronos") == []  # it fires at the gap's end


@pytest.mark.parametrize(
    ("expression", "zone", "day", "expected"),
    [
        ("30 2 * * *", BERLIN, "2026-10-25", ["25 01:30"]),
        ("0 2 * * *", BERLIN, "2026-10-25", ["25 01:00"]),
        ("0 3 * * *", BERLIN, "2026-10-25", []),
        ("0,30 2 * * *", BERLIN, "2026-10-25", ["25 01:00", "25 01:30"]),
        ("*/30 2 * * *", BERLIN, "2026-10-25", []),  # it goes on
        ("30 1 * * *", NEW_YORK, "2026-11-01", ["01 06:30"]),
        ("45 1 * * *", LORD_HOWE, "2026-04-05", ["04 15:15"]),
        ("15 1 * * *", LORD_HOWE, "2026-04-05", []),
        ("30 0 * * *", AZORES, "2026-10-25", ["25 01:30"]),
        ("30 1 * * *", MOSCOW, "2014-10-26", ["25 22:30"]),  # to winter time for good
    ],
)
def test_a_second_pass_is_taken_away_from_what_does_not_recur_within_the_day(
    expression: str, zone: str, day: str, expected: list[str]
) -> None:
    assert taken(expression, zone, day, "cronos") == expected
    assert taken(expression, zone, day, "literal") == []


def test_what_is_looked_at_ends_where_it_is_told() -> None:
    at, moment = utc("2026-03-29T01:30"), timedelta(microseconds=1)
    for after, until, expected in ((at - moment, at, [at]), (at, at + DAY, []), (at - DAY, at - moment, [])):
        assert list(cron.dropped("30 2 * * *", BERLIN, after, until, changes="literal")) == expected


def test_what_moved_to_the_end_of_a_gap_says_where_it_went() -> None:
    skipped, end = utc("2026-03-29T01:30"), utc("2026-03-29T01:00")
    assert cron.moved_to("30 2 * * *", BERLIN, skipped) == end
    assert cron.moved_to("30 2 * * *", BERLIN, skipped, changes="literal") is None
    assert cron.moved_to("20 2 * * *", BERLIN, skipped) is None
    assert cron.moved_to("@every 30m", BERLIN, skipped) is None


@given(
    st.sampled_from(
        ["30 2 * * *", "0,10 0,1,2 * * *", "*/7 * * * *", "* 2 * * *", "0 */5 2 29,30,31 * *", "5 0 1 * *"]
    ),
    st.sampled_from([BERLIN, LORD_HOWE, AZORES, MOSCOW, APIA, "America/Sao_Paulo", "Antarctica/Troll"]),
    st.sampled_from([datetime(year, month, 1, tzinfo=UTC) for year in (2011, 2014, 2026) for month in (3, 4, 10, 12)]),
    st.integers(0, 30 * 86_400),
    st.integers(0, 3 * 86_400),
)
def test_nothing_is_taken_away_that_comes_and_both_ways_to_look_agree(
    expression: str, zone: str, month: datetime, later_s: int, length_s: int
) -> None:
    after = month + timedelta(seconds=later_s)
    until = after + timedelta(seconds=length_s)
    for changes in ("cronos", "literal"):
        found = list(cron.dropped(expression, zone, after, until, changes=changes))
        assert found == sorted(set(found))
        for instant in found:
            assert cron.next(expression, zone, instant - timedelta(seconds=1), changes=changes) != instant
            assert [instant] == list(
                cron.dropped(expression, zone, instant - timedelta(seconds=1), instant, changes=changes)
            )
