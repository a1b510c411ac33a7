"""What is said of instants: pure, so that every case can be tried."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from linstock import cron
from linstock.messages.rules import CalendarDays, Rules, Timing, Window
from services.api import reasons
from services.api.expected import FEW, Standing, Version, upcoming, without_verdict

START = datetime(2026, 3, 27, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BUSY = UUID(int=7)


def version(
    expression: str = "30 2 * * *", zone: str = "Europe/Berlin", *, deleted_at: datetime | None = None
) -> Version:
    by = "ann" if deleted_at else None
    return Version(1, Timing(expression=expression, zone=zone), Rules(), START, START, "bob", deleted_at, by)


def standing(
    cursor: datetime = START,
    *,
    off: str | None = None,
    kept_from: datetime | None = None,
    current: Version | None = None,
) -> Standing:
    current = current or version()
    return Standing(off, None, cursor, current.deleted_at is not None, kept_from, current)


def test_the_first_few_without_a_verdict_are_told_past_and_ahead() -> None:
    now = START + timedelta(days=2)
    found = list(upcoming(standing(), None, None, now))
    assert [(f"{each.instant:%d %H:%M}", each.state) for each in found] == [
        ("28 01:30", "undecided"),
        ("29 01:00", "undecided"),  # 02:30 lies in the gap of that night, and fires at its end
        ("30 00:30", "ahead"),
        ("31 00:30", "ahead"),
        ("01 00:30", "ahead"),
    ]


def test_only_those_of_the_span_are_told() -> None:
    day = datetime(2026, 3, 30, 0, 30, tzinfo=UTC)

    def told(since: datetime | None, until: datetime | None) -> list[datetime]:
        return [each.instant for each in upcoming(standing(), since, until, START)]

    assert told(day, day + HOUR) == [day]
    assert told(day + timedelta(microseconds=1), day + HOUR) == []
    assert told(START - 90 * HOUR, day)[0] == datetime(2026, 3, 28, 1, 30, tzinfo=UTC)
    assert told(None, START) == []


def test_of_one_that_is_off_only_what_has_passed() -> None:
    off = standing(off="disabled")
    assert list(upcoming(off, None, None, START)) == []
    [passed] = upcoming(off, None, None, START + timedelta(days=1))
    assert passed.state == "undecided"
    assert passed.explanation == "The schedule is disabled: what passes until that ends does not fire."
    ahead = without_verdict(passed.instant, version(), off, START)
    assert (ahead.state, ahead.is_expected) == ("ahead", True)
    assert ahead.explanation == "The schedule is disabled: it does not fire unless that ends before."


def test_of_one_that_is_paused_until_a_time_what_comes_later_is_ahead() -> None:
    off = replace(standing(off="paused by ann (new disk)"), off_until=START + timedelta(days=1, hours=18))
    assert list(upcoming(off, None, None, START)) == []
    first = without_verdict(datetime(2026, 3, 28, 1, 30, tzinfo=UTC), version(), off, START)
    assert first.explanation == "The schedule is paused by ann (new disk): it does not fire unless that ends before."
    later = without_verdict(datetime(2026, 3, 30, 0, 30, tzinfo=UTC), version(), off, START)
    assert later.explanation == "It is still ahead."


def test_what_the_rules_exclude_says_so() -> None:
    first = datetime(2026, 3, 28, 1, 30, tzinfo=UTC)
    rules = replace(version(), rules=Rules(excluded=(Window(first=first, last=first + HOUR),)))
    told = [each.explanation for each in upcoming(standing(current=rules), None, None, START)]
    assert told == ["It lies outside the times at which the schedule may fire.", *["It is still ahead."] * 4]


def test_days_and_clock_changes_are_the_versions_own() -> None:
    timing = Timing(expression="30 2 * * *", zone="Europe/Berlin", clock_changes="literal")
    literal = replace(version(), timing=timing)
    gap = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert (version().comes_to(gap), literal.comes_to(gap)) == (True, False)


def test_what_the_clocks_take_away_is_expected_and_does_not_fire() -> None:
    literal = replace(version(), timing=replace(version().timing, clock_changes="literal"))
    lost = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 02:30 on a clock that nobody put forward
    for now, state in ((START, "ahead"), (lost, "undecided")):
        answer = without_verdict(lost, literal, standing(off="disabled", current=literal), now)
        assert (answer.state, answer.is_expected) == (state, True)
        assert answer.explanation.startswith("The clocks skip its wall time, or show it a second time")
    assert not literal.expects(lost + timedelta(minutes=1))
    again = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert (version().loses(again), literal.loses(again), literal.comes_to(again)) == (True, False, True)


def test_what_moved_says_where_it_went() -> None:
    skipped = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    answer = without_verdict(skipped, version(), standing(), START)
    assert answer.state == "not_expected"
    assert answer.explanation.endswith("what it stands for is at the end of the gap, 2026-03-29 01:00:00 UTC.")


@pytest.mark.parametrize("expression", ["30 2 * * *", "* * * * *"])
@pytest.mark.parametrize("changes", ["cronos", "literal"])
def test_after_its_end_nothing_is_expected(expression: str, changes: str) -> None:
    end = datetime(2026, 3, 29, tzinfo=UTC)
    timing = Timing(expression=expression, zone="Europe/Berlin", clock_changes=changes)
    ended = replace(version(), timing=timing, rules=Rules(ends_at=end))
    now = START + timedelta(days=30)
    for at in (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), datetime(2026, 3, 30, 0, 30, tzinfo=UTC)):
        answer = without_verdict(at, ended, standing(current=ended), now)
        assert (answer.state, answer.next_instant) == ("not_expected", None)
        assert answer.explanation == "The schedule ended on 2026-03-29 00:00:00 UTC."
    assert list(upcoming(standing(end, current=ended), None, None, now)) == []


def test_of_one_that_is_gone_or_not_understood_nothing() -> None:
    gone = standing(current=version(deleted_at=START + HOUR))
    strange = standing(current=version("every now and then"))
    assert [list(upcoming(each, None, None, START)) for each in (gone, strange)] == [[], []]
    answer = without_verdict(START + HOUR, version("every now and then"), strange, START)
    assert (answer.state, answer.next_instant) == ("not_expected", None)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)), st.integers(0, 90_000))  # noqa: DTZ001
def test_what_is_told_agrees_with_what_the_scheduler_would_do(now: datetime, since_minutes: int) -> None:
    timing = Timing(expression="*/7 1-3 * * *", zone="America/New_York")
    rules = version(timing.expression, timing.zone)
    found = [each.instant for each in upcoming(standing(current=rules), None, None, now)]
    assert found == cron.due_instants(timing.expression, timing.zone, START, datetime(2100, 1, 1, tzinfo=UTC), FEW)
    at = (START + timedelta(minutes=since_minutes)).replace(second=0, microsecond=0)
    answer = without_verdict(at, rules, standing(current=rules), now)
    expected = cron.next(timing.expression, timing.zone, at - timedelta(seconds=1)) == at and at > START
    assert answer.is_expected == expected
    assert answer.next_instant == cron.next(timing.expression, timing.zone, at)


def test_an_instant_before_its_deletion_that_nobody_decided_is_not_recorded() -> None:
    due = datetime(2026, 3, 28, 1, 30, tzinfo=UTC)
    rules = version(deleted_at=due + HOUR)
    assert without_verdict(due, rules, standing(current=rules), due + 9 * HOUR).state == "unrecorded"
    after = without_verdict(due + 24 * HOUR, rules, standing(current=rules), due)
    assert (after.state, after.next_instant) == ("not_expected", None)
    assert after.explanation == "The schedule was deleted on 2026-03-28 02:30:00 UTC by ann."


@pytest.mark.parametrize(
    ("late", "words"),
    [(-5, "0.0 s"), (1.26, "1.3 s"), (75, "1 min 15 s"), (3 * 3600 + 60, "3 h 01 min"), (90_000, "1 d 1 h")],
)
def test_lateness_in_words(late: float, words: str) -> None:
    told = reasons.of_fired("late", late=timedelta(seconds=late), missed=0, moved=False)
    assert told == f"It fired {words} late."


def test_how_it_fired_in_words() -> None:
    def told(verdict: str, missed: int = 0, *, moved: bool = False) -> str:
        return reasons.of_fired(verdict, late=HOUR, missed=missed, moved=moved)

    assert told("fired") == "It fired at its time."
    assert told("fired", moved=True).endswith(f"time. {reasons.MOVED}")
    assert told("caught_up") == "It was made up for 1 h 00 min later: no scheduler could act at its time."
    assert "later, in place of 1 earlier one too:" in told("caught_up", 1)
    assert "later, in place of 1,200 earlier ones too:" in told("caught_up", 1200)


@pytest.mark.parametrize(
    "reason", ["overlap", "misfire", "paused", "disabled", "outside_window", "limit", "clock_change"]
)
def test_why_it_did_not_fire_in_words(reason: str) -> None:
    one, many = (reasons.of_skipped(reason, count=count, busy=None) for count in (1, 3))
    assert one.startswith("It did not fire: ")
    assert many.startswith("None of these 3 fired: ")
    assert "_" not in one + many


def test_a_reason_without_words_is_said_as_it_is_and_the_run_that_was_in_the_way_is_named() -> None:
    assert reasons.of_skipped("solar_flare", count=1, busy=None) == "It did not fire: solar flare."
    assert str(BUSY) in reasons.of_skipped("overlap", count=1, busy=BUSY)


def test_a_calendar_is_named() -> None:
    one, many = (
        reasons.of_skipped("outside_window", count=count, busy=None, calendar="holidays") for count in (1, 1200)
    )
    assert one == "It did not fire: calendar 'holidays' excludes it."
    assert many == "None of these 1,200 fired: calendar 'holidays' excludes them."
    days = (CalendarDays(name="holidays", version=1, days=(date(2026, 3, 28),)),)
    off = replace(version(), rules=Rules(calendars=days))
    told = [each.explanation for each in upcoming(standing(current=off), None, None, START)]
    assert told[:2] == ["Calendar 'holidays' excludes it.", "It is still ahead."]
