"""When expressions fire, above all on the days when clocks change."""

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linstock import cron
from linstock.cron import EXPRESSION_LIMIT, ClockChanges, Days, InvalidCron, check, due_instants


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(expression: str, zone: str, after: str, count: int = 1) -> list[str]:
    """The next firings after a wall time with its offset, as such wall times."""
    start = datetime.fromisoformat(after)
    found = due_instants(expression, zone, start, start + timedelta(days=800), count)
    return [instant.astimezone(ZoneInfo(zone)).isoformat() for instant in found]


def test_five_fields_start_with_minutes_and_six_with_seconds() -> None:
    assert cron.next("0 2 * * *", "UTC", utc("2026-03-01T02:00")) == utc("2026-03-02T02:00")
    assert cron.next("*/10 * * * * *", "UTC", utc("2026-03-01T02:00")) == utc("2026-03-01T02:00:10")


def test_an_instant_is_later_than_the_given_one_also_by_less_than_a_second() -> None:
    assert cron.next("* * * * * *", "UTC", utc("2026-03-01T02:00:00.999999")) == utc("2026-03-01T02:00:01")
    assert cron.next("* * * * * *", "UTC", utc("2026-03-01T02:00:01")) == utc("2026-03-01T02:00:02")


def test_day_and_weekday_must_both_match() -> None:
    assert cron.next("0 0 13 * 5", "UTC", utc("2026-04-01T00:00")) == utc("2026-11-13T00:00")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("0 0 L * *", "2026-02-28T00:00"), ("0 0 * * 5L", "2026-02-27T00:00"), ("0 0 * * MON#2", "2026-02-09T00:00")],
)
def test_last_days_and_counted_weekdays(expression: str, expected: str) -> None:
    assert cron.next(expression, "UTC", utc("2026-02-01T00:00")) == utc(expected)


def test_what_falls_into_the_gap_fires_once_at_its_end() -> None:
    before = "2026-03-08T01:59:00-05:00"
    assert local("30 2 * * *", "America/New_York", before, 2) == [
        "2026-03-08T03:00:00-04:00",
        "2026-03-09T02:30:00-04:00",
    ]
    assert local("*/20 * * * *", "America/New_York", before, 2) == [
        "2026-03-08T03:00:00-04:00",
        "2026-03-08T03:20:00-04:00",
    ]


def test_a_time_of_day_fires_once_when_it_comes_twice() -> None:
    assert local("30 1 * * *", "America/New_York", "2026-11-01T01:29:00-04:00", 2) == [
        "2026-11-01T01:30:00-04:00",
        "2026-11-02T01:30:00-05:00",
    ]


def test_an_interval_goes_on_through_both_passes() -> None:
    assert local("*/30 * * * *", "America/New_York", "2026-11-01T01:00:00-04:00", 4) == [
        "2026-11-01T01:30:00-04:00",
        "2026-11-01T01:00:00-05:00",
        "2026-11-01T01:30:00-05:00",
        "2026-11-01T02:00:00-05:00",
    ]
    assert local("0 0-30 1 * * *", "Australia/Lord_Howe", "2026-04-05T01:59:00+11:00") == ["2026-04-05T01:30:00+10:30"]


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("@every 90s", "2026-03-01T00:00:00", "2026-03-01T00:01:30"),
        ("@every 90s", "2026-03-01T00:01:29", "2026-03-01T00:01:30"),
        ("@every 1h30m", "2026-03-29T00:30:00", "2026-03-29T01:30:00"),
        ("@EVERY 1h/10m", "2026-03-01T00:10:00", "2026-03-01T01:10:00"),
        ("@every 1d", "1969-12-31T13:00:00", "1970-01-01T00:00:00"),
    ],
)
def test_an_interval_has_its_instants_for_ever(expression: str, after: str, expected: str) -> None:
    """Wherever one looks from: neither a restart nor a clock change moves them."""
    assert cron.next(expression, "Europe/Berlin", utc(after)) == utc(expected)
    assert cron.next(expression, "UTC", utc(expected), inclusive=True) == utc(expected)


@pytest.mark.parametrize(("days", "expected"), [("and", "2026-11-13T00:00"), ("or", "2026-04-03T00:00")])
def test_either_of_day_and_weekday_is_enough_when_told(days: Days, expected: str) -> None:
    assert cron.next("0 0 13 * 5", "UTC", utc("2026-04-01T00:00"), days=days) == utc(expected)


def test_or_restricts_nothing_more_when_one_of_them_is_any() -> None:
    assert cron.next("0 0 * * 5", "UTC", utc("2026-04-01T00:00"), days="or") == utc("2026-04-03T00:00")
    assert cron.next("0 0 13 * ?", "UTC", utc("2026-04-01T00:00"), days="or") == utc("2026-04-13T00:00")


LITERAL: ClockChanges = "literal"


def test_literally_a_gap_fires_nothing_and_an_overlap_twice() -> None:
    assert cron.next("30 2 * * *", "America/New_York", utc("2026-03-08T06:59"), changes=LITERAL) == utc(
        "2026-03-09T06:30"
    )
    first = cron.next("30 1 * * *", "America/New_York", utc("2026-11-01T05:00"), changes=LITERAL)
    assert first == utc("2026-11-01T05:30")
    assert cron.next("30 1 * * *", "America/New_York", utc("2026-11-01T05:30"), changes=LITERAL) == utc(
        "2026-11-01T06:30"
    )


def test_due_instants_stop_at_the_end_and_at_the_limit() -> None:
    start, end = utc("2026-03-01T00:00"), utc("2026-03-01T00:00:05")
    assert len(due_instants("* * * * * *", "UTC", start, end, 100)) == 5
    assert due_instants("* * * * * *", "UTC", start, end, 2) == [start + timedelta(seconds=s) for s in (1, 2)]
    assert due_instants("* * * * * *", "UTC", end, end, 2) == []


@pytest.mark.parametrize(
    ("expression", "zone", "field"),
    [
        ("* * * *", "UTC", "expression"),
        ("* * * * * * *", "UTC", "expression"),
        ("@dayly", "UTC", "expression"),
        ("@every", "UTC", "expression"),
        ("@every 0s", "UTC", "expression"),
        ("@every 90", "UTC", "expression"),
        ("@every 367d", "UTC", "expression"),
        ("@every 1h/1h", "UTC", "expression"),
        ("@reboot", "UTC", "expression"),
        ("", "UTC", "expression"),
        ("0 " * EXPRESSION_LIMIT, "UTC", "expression"),
        ("60 * * * *", "UTC", "minute"),
        ("*/60 * * * *", "UTC", "minute"),
        ("1/0 * * * *", "UTC", "minute"),
        ("61 * * * * *", "UTC", "second"),
        ("* 24 * * *", "UTC", "hour"),
        ("* * 0 * *", "UTC", "day"),
        ("* * 30 2 *", "UTC", "day"),
        ("* * * 13 *", "UTC", "month"),
        ("* * * FOO *", "UTC", "month"),
        ("* * * * 8", "UTC", "weekday"),
        ("*,1 * * * *", "UTC", "minute"),
        ("R * * * *", "UTC", "minute"),
        ("\u0661 * * * *", "UTC", "minute"),
        ("* * * * *", "", "zone"),
        ("* * * * *", "Mars/Olympus", "zone"),
        ("* * * * *", "localtime", "zone"),
        ("* * * * *", "../../etc/passwd", "zone"),
        ("* * * * *", "Europe", "zone"),
        ("* * * * *", "UTC\x00", "zone"),
    ],
)
def test_what_cannot_be_scheduled_is_refused_by_field(expression: str, zone: str, field: str) -> None:
    with pytest.raises(InvalidCron) as refused:
        check(expression, zone)
    assert refused.value.field == field


@given(st.text(max_size=30), st.text(max_size=20))
def test_nothing_but_invalid_cron_comes_out_of_a_check(expression: str, zone: str) -> None:
    with contextlib.suppress(InvalidCron):
        check(expression, zone)


ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata")
EXPRESSIONS = ("30 1 * * *", "30 2 * * *", "*/17 * * * *", "0 */6 * * *", "15,45 0-3 * * *", "5 0 * * 0")


@given(
    st.sampled_from(EXPRESSIONS),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timedeltas(timedelta(0), timedelta(days=3)),
)
def test_where_we_look_from_does_not_change_what_fires(
    expression: str, zone: str, start: datetime, length: timedelta
) -> None:
    """Split anywhere, the instants are the same: the cursor may stand where it will."""
    middle, end = start + length, start + 2 * length
    whole = due_instants(expression, zone, start, end, 10_000)
    parts = due_instants(expression, zone, start, middle, 10_000) + due_instants(expression, zone, middle, end, 10_000)
    assert whole == parts == sorted(set(whole))
