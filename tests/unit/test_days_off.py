"""Days of a calendar as stretches of time: an oracle asks the wall clock of each quarter of an hour."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linstock import days_off
from linstock.days_off import FAR, MOMENT

QUARTER = timedelta(minutes=15)
# Zones in the days around a change of their clocks: at 02:00 and 01:00, half an hour, at midnight both ways, and a day
# that one of them never had.
CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Asia/Kathmandu", date(2026, 1, 1)),
]


def days_around(day: date) -> list[date]:
    return [day + timedelta(days=offset) for offset in range(-2, 3)]


@given(st.sampled_from(CHANGES), st.sets(st.integers(0, 4)))
def test_a_moment_is_off_when_the_wall_shows_such_a_day(change: tuple[str, date], chosen: set[int]) -> None:
    zone, day = change
    around = days_around(day)
    days = tuple(around[each] for each in sorted(chosen))
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=4)
    moments = [start + count * QUARTER for count in range(8 * 96)]
    off = {moment: moment.astimezone(ZoneInfo(zone)).date() in days for moment in moments}
    for moment in moments:
        until = days_off.closed_until(days, zone, moment)
        assert (until is not None) == off[moment]
        end = days_off.open_until(days, zone, moment) if until is None else until
        same = [each for each in moments if moment <= each <= end]
        assert {off[each] for each in same} == {off[moment]}
        if end != FAR and end + MOMENT in off:
            assert off[end + MOMENT] != off[moment]


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        ("Europe/Berlin", date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC), 23),  # its 00:00 was skipped
        ("America/St_Johns", date(2006, 10, 29), datetime(2006, 10, 29, 2, 30, tzinfo=UTC), 25),  # it had 00:00 twice
    ],
)
def test_a_day_lasts_until_the_next_begins(zone: str, day: date, begins: datetime, hours: int) -> None:
    last = begins + timedelta(hours=hours) - MOMENT
    assert days_off.closed_until((day,), zone, begins) == days_off.closed_until((day,), zone, last) == last
    assert days_off.closed_until((day,), zone, begins - MOMENT) is None
    assert days_off.open_until((day,), zone, begins - timedelta(hours=5)) == begins - MOMENT
    assert days_off.open_until((day,), zone, last + MOMENT) == FAR
