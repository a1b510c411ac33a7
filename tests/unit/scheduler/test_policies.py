"""What the rules of a schedule make of its instants: given / when / then, with what the ticker would propose."""

from datetime import datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from linstock import names
from linstock.messages.rules import ChangedRules, Rules, Timing, Window
from linstock.messages.schedule import (
    ScheduleDisabled,
    ScheduleEvent,
    SchedulePaused,
    ScheduleResumed,
    TickFired,
    TicksSkipped,
)
from linstock.messages.schedule_commands import (
    ChangeSchedule,
    DeleteSchedule,
    DisableSchedule,
    EnableSchedule,
    PauseSchedule,
    ResumeSchedule,
)
from services.scheduler import schedule, timing
from services.scheduler.schedule import Enabled, Paused, Schedule, editing
from tests.support.schedules import JOB, NOON, SCHEDULE, defined, follow, seconds
from tests.support.schedules import settings as library_settings

OTHER = UUID("33333333-3333-4333-8333-333333333333")
MINUTE = 60


def at(second: float) -> datetime:
    return NOON + seconds(second)


def made(rules: Rules, *, cron: str = "* * * * *", history: tuple[ScheduleEvent, ...] = ()) -> Schedule:
    """Due each minute, its cursor at noon."""
    return reduce(schedule.evolve, [replace(defined(cron=cron), rules=rules), *history], schedule.initial())


def ticked(
    asked: Schedule, now: float, *, busy: tuple[UUID, ...] = (), waiting: int = 0, failures: int = 0
) -> list[ScheduleEvent]:
    """All that comes of ticking at this second until nothing more is due."""
    found, state = list[ScheduleEvent](), asked
    while isinstance(state, Enabled | Paused):
        tick = timing.proposal(
            state, at(now), busy=next(iter(busy), None), open_jobs=busy, waiting=waiting, failures=failures,
            tzdata="2026a",
        )  # fmt: skip
        events = schedule.decide(tick, state) if tick else []
        if not events:
            break
        found += events
        for event in events:
            state = schedule.evolve(state, event)
        failures = 0
    return found


def told(state: Schedule, command: editing.Edit, second: float) -> list[ScheduleEvent]:
    return editing.edit(command, state, at=at(second), tzdata="2026a")


def verdicts(events: list[ScheduleEvent]) -> list[tuple[Any, ...]]:
    """In minutes since noon: what fired, and each range that did not."""
    found = list[tuple[Any, ...]]()
    for event in events:
        match event:
            case TickFired():
                found.append((_minute(event.instant), event.verdict))
            case TicksSkipped():
                found.append((_minute(event.first), _minute(event.last), event.count, event.reason))
            case _:
                found.append((type(event).__name__,))
    return found


def _minute(instant: datetime) -> float:
    return (instant - NOON) / timedelta(minutes=1)


def test_of_what_was_missed_the_latest_fires_unless_it_is_older_than_the_window() -> None:
    assert verdicts(ticked(made(Rules()), 125 * MINUTE)) == [
        (1, 124, 124, "misfire"), (125, "caught_up"),
    ]  # fmt: skip
    hourly = made(Rules(catchup_window_s=600), cron="0 * * * *")
    assert verdicts(ticked(hourly, 69 * MINUTE)) == [(60, "caught_up")]
    assert verdicts(ticked(hourly, 71 * MINUTE)) == [(60, 60, 1, "misfire")]


def test_the_count_of_what_was_missed_includes_what_was_too_old() -> None:
    fired = ticked(made(Rules()), 125 * MINUTE)[-1]
    assert isinstance(fired, TickFired)
    assert fired.missed_count == 124


def test_fire_all_fires_the_latest_of_the_window_oldest_first_one_after_another() -> None:
    events = ticked(made(Rules(misfire="fire_all", catchup_limit=3)), 5 * MINUTE)
    assert verdicts(events) == [(1, 2, 2, "misfire"), (3, "caught_up"), (4, "late"), (5, "fired")]
    fired = [event for event in events if isinstance(event, TickFired)]
    assert [event.behind for event in fired] == [None, fired[0].job_id, fired[1].job_id]


@pytest.mark.parametrize("due", [100_050, 250_000])
def test_fire_all_keeps_the_latest_of_the_window_however_many_were_due(due: int) -> None:
    """Those before the window, and those in it that are too many, are one range, decided by the same append."""
    break_ = Window(first=at(due - 60), last=at(due - 51))
    rules = Rules(misfire="fire_all", catchup_window_s=200_000, catchup_limit=100, excluded=(break_,))
    state = made(rules, cron="* * * * * *")
    assert isinstance(state, Enabled)
    tick = timing.proposal(state, at(due), busy=None, tzdata="2026a")
    assert tick
    many, *caught_up = schedule.decide(tick, state)
    assert isinstance(many, TicksSkipped)
    assert (many.first, many.last, many.count, many.reason) == (at(1), at(due - 110), due - 110, "misfire")
    fired = [event.instant for event in caught_up if isinstance(event, TickFired)]
    assert fired == [at(second) for second in (*range(due - 109, due - 60), *range(due - 50, due + 1))]
    [apart] = [event for event in caught_up if isinstance(event, TicksSkipped)]
    assert (apart.first, apart.last, apart.reason) == (at(due - 60), at(due - 51), "outside_window")


def test_what_the_clocks_take_away_is_decided_when_it_would_have_come() -> None:
    night = datetime.fromisoformat("2026-03-28T12:00:00Z")
    timing_ = Timing(expression="30 2 * * *", zone="Europe/Berlin", clock_changes="literal")
    state = schedule.evolve(schedule.initial(), replace(defined(cursor=night), timing=timing_))
    assert isinstance(state, Enabled)
    lost = datetime.fromisoformat("2026-03-29T01:30:00Z")
    assert timing.upcoming(state) == lost
    assert timing.proposal(state, lost - seconds(1), busy=None, tzdata="2026a") is None
    tick = timing.proposal(state, lost, busy=JOB, tzdata="2026a")
    assert tick
    [event] = schedule.decide(tick, state)
    assert event == TicksSkipped(
        schedule_id=SCHEDULE, first=lost, last=lost, count=1, reason="clock_change", busy=None, version=1,
        tzdata="2026a",
    )  # fmt: skip
    after = schedule.evolve(state, event)
    assert timing.upcoming(after) == datetime.fromisoformat("2026-03-30T00:30:00Z")


def test_what_the_clocks_take_away_parts_what_passed() -> None:
    start = datetime.fromisoformat("2026-10-23T12:00:00Z")
    event = replace(defined(cursor=start, cron="30 2 * * *", zone="Europe/Berlin", enabled=False))
    state = schedule.evolve(schedule.initial(), event)
    told_at = start + timedelta(days=4)
    events = editing.edit(EnableSchedule(schedule_id=SCHEDULE), state, at=told_at, tzdata="2026a")
    found = [(each.first.day, each.last.day, each.count, each.reason) for each in events[:-1]]  # type: ignore[union-attr]
    assert found == [(24, 25, 2, "disabled"), (25, 25, 1, "clock_change"), (26, 27, 2, "disabled")]


def test_after_its_end_nothing_is_expected_and_what_is_left_before_is_decided_then() -> None:
    break_ = Window(first=at(3 * MINUTE), last=at(99 * MINUTE))
    state = made(Rules(ends_at=at(5 * MINUTE + 1), excluded=(break_,)))
    first = ticked(state, 2 * MINUTE)
    state = reduce(schedule.evolve, first, state)
    assert timing.upcoming(state) == at(5 * MINUTE + 1)
    last = ticked(state, 5 * MINUTE + 1)
    assert verdicts(last) == [(3, 5, 3, "outside_window")]
    ended = reduce(schedule.evolve, last, state)
    assert timing.upcoming(ended) is None
    assert ticked(ended, 100 * MINUTE) == []
    assert verdicts(told(ended, DeleteSchedule(schedule_id=SCHEDULE), 100 * MINUTE)) == [("ScheduleDeleted",)]
    later = ChangeSchedule(schedule_id=SCHEDULE, rules=ChangedRules(ends_at=at(200 * MINUTE), excluded=()))
    moved = told(ended, later, 100 * MINUTE)
    assert verdicts(moved) == [("ScheduleChanged",)]
    assert timing.upcoming(reduce(schedule.evolve, moved, ended)) == at(101 * MINUTE)


def test_an_edit_tells_what_could_not_fire_from_what_nobody_fired() -> None:
    state = made(Rules(excluded=(Window(first=at(2 * MINUTE), last=at(3 * MINUTE)),)))
    assert verdicts(told(state, ChangeSchedule(schedule_id=SCHEDULE, expression="0 * * * *"), 4 * MINUTE)) == [
        (1, 1, 1, "misfire"), (2, 3, 2, "outside_window"), (4, 4, 1, "misfire"), ("ScheduleChanged",),
    ]  # fmt: skip


def test_skip_fires_only_what_is_on_time() -> None:
    rules = Rules(misfire="skip")
    assert verdicts(ticked(made(rules, cron="*/5 * * * *"), 12 * MINUTE)) == [(5, 10, 2, "misfire")]
    assert verdicts(ticked(made(rules), 2 * MINUTE)) == [(1, 1, 1, "misfire"), (2, "caught_up")]
    assert verdicts(ticked(made(rules), MINUTE)) == [(1, "fired")]


def test_instants_outside_the_times_at_which_it_may_fire_are_ranges() -> None:
    rules = Rules(
        starts_at=at(3 * MINUTE), ends_at=at(20 * MINUTE), excluded=(Window(first=at(5 * MINUTE), last=at(7 * MINUTE)),)
    )
    state = made(rules)
    assert timing.upcoming(state) == at(3 * MINUTE)
    assert verdicts(ticked(state, 3 * MINUTE)) == [(1, 2, 2, "outside_window"), (3, "fired")]
    assert verdicts(ticked(state, 9 * MINUTE)) == [
        (1, 2, 2, "outside_window"), (3, 4, 2, "misfire"), (5, 7, 3, "outside_window"), (8, 8, 1, "misfire"),
        (9, "caught_up"),
    ]  # fmt: skip
    ended = made(rules, history=tuple(ticked(state, 20 * MINUTE)))
    assert timing.upcoming(ended) is None


def test_fire_all_leaves_no_stretch_out() -> None:
    rules = Rules(misfire="fire_all", excluded=(Window(first=at(2 * MINUTE), last=at(2 * MINUTE)),))
    assert verdicts(ticked(made(rules), 3 * MINUTE)) == [
        (1, "caught_up"), (2, 2, 1, "outside_window"), (3, "fired"),
    ]  # fmt: skip


def test_what_is_caught_up_after_a_break_still_waits_for_what_came_before_it() -> None:
    rules = Rules(misfire="fire_all", excluded=(Window(first=at(2 * MINUTE), last=at(2 * MINUTE)),))
    first, _, second = ticked(made(rules), 3 * MINUTE)
    assert isinstance(first, TickFired)
    assert isinstance(second, TickFired)
    assert (first.behind, second.behind) == (None, first.job_id)


def test_no_range_reaches_over_another() -> None:
    pause = (Window(first=at(3 * MINUTE), last=at(3 * MINUTE)),)
    few = Rules(misfire="fire_all", catchup_limit=1, excluded=pause)
    assert verdicts(ticked(made(few), 5 * MINUTE)) == [
        (1, 2, 2, "misfire"), (3, 3, 1, "outside_window"), (4, 4, 1, "misfire"), (5, "fired"),
    ]  # fmt: skip
    once = Rules(misfire="fire_all", max_runs=1, excluded=pause)
    assert verdicts(ticked(made(once), 4 * MINUTE)) == [
        (1, "caught_up"), (2, 2, 1, "limit"), (3, 3, 1, "outside_window"), (4, 4, 1, "limit"), ("ScheduleDisabled",),
    ]  # fmt: skip
    assert verdicts(ticked(made(Rules(misfire="fire_all", excluded=pause)), 4 * MINUTE, busy=(JOB,))) == [
        (1, 2, 2, "overlap"), (3, 3, 1, "outside_window"), (4, 4, 1, "overlap"),
    ]  # fmt: skip


def test_after_its_last_run_it_disables_itself_and_says_why_it_fires_no_more() -> None:
    state = made(Rules(max_runs=2))
    once = ticked(state, MINUTE)
    state = reduce(schedule.evolve, once, state)
    twice = ticked(state, 2 * MINUTE)
    assert verdicts([*once, *twice]) == [(1, "fired"), (2, "fired"), ("ScheduleDisabled",)]
    off = reduce(schedule.evolve, twice, state)
    assert isinstance(twice[-1], ScheduleDisabled)
    assert twice[-1].reason == "limit"
    again = told(off, EnableSchedule(schedule_id=SCHEDULE), 5 * MINUTE)
    assert verdicts(again) == [(3, 5, 3, "limit"), ("ScheduleEnabled",)]
    on = reduce(schedule.evolve, again, off)
    assert verdicts(ticked(on, 6 * MINUTE)) == [(6, "fired")]  # counted anew


def test_fire_all_ends_at_the_limit_of_runs() -> None:
    events = ticked(made(Rules(misfire="fire_all", max_runs=2)), 4 * MINUTE)
    assert verdicts(events) == [(1, "caught_up"), (2, "caught_up"), (3, 4, 2, "limit"), ("ScheduleDisabled",)]


@pytest.mark.parametrize(
    ("overlap", "waiting", "expected"),
    [
        ("skip", 0, (1, 1, 1, "overlap")),
        ("buffer_one", 0, (1, "fired")),
        ("buffer_one", 1, (1, 1, 1, "overlap")),
        ("buffer_all", 1, (1, "fired")),
        ("buffer_all", 2, (1, 1, 1, "overlap")),
        ("cancel_other", 0, (1, "fired")),
        ("terminate_other", 0, (1, "fired")),
    ],
)
def test_open_runs_decide_by_the_overlap_rule(overlap: str, waiting: int, expected: tuple[Any, ...]) -> None:
    [event] = ticked(made(Rules(overlap=overlap, buffer_limit=2)), MINUTE, busy=(JOB, OTHER), waiting=waiting)
    assert verdicts([event]) == [expected]
    if isinstance(event, TickFired):
        buffered = overlap.startswith("buffer")
        assert (event.behind, event.cancels) == ((JOB, ()) if buffered else (None, (JOB, OTHER)))
        assert event.job_id == names.job_of_tick(SCHEDULE, event.instant.isoformat())


def test_jitter_delays_the_firing_always_by_the_same_and_not_the_instant() -> None:
    state = made(Rules(jitter_s=3600))
    due = timing.upcoming(state)
    assert due is not None
    assert at(MINUTE) < due < at(2 * MINUTE)
    assert timing.upcoming(state) == due
    late_s = (due - NOON).total_seconds()
    assert ticked(state, late_s - 0.002) == []
    assert verdicts(ticked(state, late_s)) == [(1, "fired")]
    # Of two that are due, the second still waits for its own moment.
    after = timing.upcoming(reduce(schedule.evolve, ticked(state, late_s), state))
    assert after is not None
    assert verdicts(ticked(state, (after - NOON).total_seconds() - 0.002)) == [
        (1, "fired" if (after - due) <= seconds(1.002) else "late" if (after - due) <= seconds(60.002) else "caught_up")
    ]


def test_a_wall_time_that_the_clocks_skip_is_marked() -> None:
    night = datetime.fromisoformat("2026-03-29T00:00:00Z")
    state = schedule.evolve(schedule.initial(), defined(cron="30 2 * * *", zone="Europe/Berlin", cursor=night))
    assert isinstance(state, Enabled)
    now = datetime.fromisoformat("2026-03-29T01:00:00Z")
    tick = timing.proposal(state, now, busy=None, tzdata="2026a")
    assert tick
    [fired] = schedule.decide(tick, state)
    assert isinstance(fired, TickFired)
    assert (fired.instant, fired.moved) == (now, True)
    assert all(not event.moved for event in ticked(made(Rules()), MINUTE) if isinstance(event, TickFired))


def test_what_passes_during_a_pause_is_one_range_and_is_not_made_up_for() -> None:
    paused = SchedulePaused(schedule_id=SCHEDULE, at=at(90), reason="disk swap")
    state = made(Rules(), history=(paused,))
    assert timing.upcoming(state) is None
    assert ticked(state, 4 * MINUTE) == []
    resumed = told(state, ResumeSchedule(schedule_id=SCHEDULE), 4 * MINUTE + 1)
    assert verdicts(resumed) == [(1, 4, 4, "paused"), ("ScheduleResumed",)]
    assert verdicts(ticked(reduce(schedule.evolve, resumed, state), 5 * MINUTE)) == [(5, "fired")]


def test_a_pause_ends_by_itself_at_its_time_also_when_nobody_was_there() -> None:
    [paused] = told(made(Rules()), PauseSchedule(schedule_id=SCHEDULE, resume_at=at(150)), 30)
    state = made(Rules(), history=(paused,))
    assert timing.upcoming(state) == at(150)
    assert ticked(state, 149) == []
    assert verdicts(ticked(state, 4 * MINUTE)) == [
        (1, 2, 2, "paused"), ("ScheduleResumed",), (3, 3, 1, "misfire"), (4, "caught_up"),
    ]  # fmt: skip


def test_a_pause_is_told_once_and_only_while_the_schedule_is_on() -> None:
    pause = PauseSchedule(schedule_id=SCHEDULE, reason="disk swap")
    state = made(Rules())
    [paused] = told(state, pause, 30)
    on_hold = schedule.evolve(state, paused)
    assert told(on_hold, pause, 40) == []
    assert verdicts(told(on_hold, replace(pause, reason="still"), 40)) == [("SchedulePaused",)]
    assert told(state, ResumeSchedule(schedule_id=SCHEDULE), 40) == []
    off = reduce(schedule.evolve, told(state, DisableSchedule(schedule_id=SCHEDULE), 30), state)
    for command in (pause, ResumeSchedule(schedule_id=SCHEDULE)):
        with pytest.raises(editing.NotOn):
            told(off, command, 40)


def test_whatever_ends_a_pause_says_what_passed() -> None:
    state = made(Rules(), history=(SchedulePaused(schedule_id=SCHEDULE, at=at(1)),))
    paused = (1, 4, 4, "paused")
    for command, event in (
        (EnableSchedule(schedule_id=SCHEDULE), "ScheduleEnabled"),
        (DisableSchedule(schedule_id=SCHEDULE), "ScheduleDisabled"),
        (DeleteSchedule(schedule_id=SCHEDULE), "ScheduleDeleted"),
        (ChangeSchedule(schedule_id=SCHEDULE, expression="0 * * * *"), "ScheduleChanged"),
    ):
        assert verdicts(told(state, command, 4 * MINUTE)) == [paused, (event,)]
    after = reduce(
        schedule.evolve, told(state, ChangeSchedule(schedule_id=SCHEDULE, expression="0 * * * *"), 240), state
    )
    assert isinstance(after, Paused)


def test_new_windows_never_touch_what_is_past_and_other_rules_swallow_nothing() -> None:
    state = made(Rules())
    windows = ChangeSchedule(schedule_id=SCHEDULE, rules=ChangedRules(starts_at=at(600)))
    assert verdicts(told(state, windows, 2 * MINUTE)) == [(1, 2, 2, "misfire"), ("ScheduleChanged",)]
    [changed] = told(state, ChangeSchedule(schedule_id=SCHEDULE, rules=ChangedRules(misfire="skip")), 2 * MINUTE)
    after = schedule.evolve(state, changed)
    assert isinstance(after, Enabled)
    assert (after.cursor, after.rules) == (NOON, Rules(misfire="skip"))
    [kept] = told(after, ChangeSchedule(schedule_id=SCHEDULE, name="Other"), 2 * MINUTE)
    assert schedule.evolve(after, kept).rules == Rules(misfire="skip")  # type: ignore[union-attr]


def test_too_many_failures_in_a_row_pause_it() -> None:
    state = made(Rules(pause_after_failures=3))
    assert timing.upcoming(state, 2) == at(MINUTE)
    assert timing.upcoming(state, 3) == NOON  # at once
    assert ticked(state, 30, failures=2) == []
    [paused] = ticked(state, 30, failures=3)
    assert paused == SchedulePaused(schedule_id=SCHEDULE, at=at(30), reason="3 runs in a row failed")


def test_days_and_clock_changes_are_part_of_the_timing() -> None:
    first_or_monday = Timing(expression="0 0 1 * MON", zone="UTC", days="or")
    event = replace(defined(), timing=first_or_monday)
    state = schedule.evolve(schedule.initial(), event)
    assert timing.upcoming(state) == datetime.fromisoformat("2026-03-09T00:00:00Z")
    assert timing.upcoming(
        schedule.evolve(schedule.initial(), replace(event, timing=replace(first_or_monday, days="and")))
    ) == datetime.fromisoformat("2026-06-01T00:00:00Z")


def test_resuming_moves_the_cursor_only_forward() -> None:
    state = made(Rules(), history=(SchedulePaused(schedule_id=SCHEDULE, at=at(1)),))
    resumed = told(state, ResumeSchedule(schedule_id=SCHEDULE), -30)  # the clock was set back
    assert resumed == [ScheduleResumed(schedule_id=SCHEDULE, at=at(-30), cursor=NOON)]


def test_a_pause_outlasts_what_its_library_said_before_and_ends_with_a_later_word() -> None:
    state = made(Rules(), history=(SchedulePaused(schedule_id=SCHEDULE, at=at(90)),))
    on = replace(follow(2, library_settings(cron="* * * * *"), at=at(5 * MINUTE)), timing_at=NOON)
    earlier = schedule.decide(replace(on, auto_scan_at=at(60)), state)
    assert verdicts(earlier) == [("ScheduleChanged",)]  # that it heard of this version
    assert isinstance(reduce(schedule.evolve, earlier, state), Paused)
    later = schedule.decide(replace(on, auto_scan_at=at(100)), state)
    assert verdicts(later) == [(1, 5, 5, "paused"), ("ScheduleEnabled",)]


def test_new_timing_of_the_library_keeps_what_the_library_knows_nothing_of() -> None:
    state = schedule.evolve(
        schedule.initial(),
        replace(defined(enabled=False, cron="* * * * *"), timing=Timing(expression="* * * * *", zone="UTC", days="or"),
                rules=Rules(misfire="skip")),
    )  # fmt: skip
    told_by_library = replace(
        follow(2, library_settings(cron="*/2 * * * *"), at=at(5 * MINUTE)), auto_scan_at=at(100), timing_at=at(100)
    )
    events = schedule.decide(told_by_library, state)
    assert verdicts(events) == [(1, 5, 5, "disabled"), ("ScheduleChanged",), ("ScheduleEnabled",)]  # each once
    after = reduce(schedule.evolve, events, state)
    assert isinstance(after, Enabled)
    assert (after.timing.days, after.timing.expression, after.rules.misfire) == ("or", "*/2 * * * *", "skip")


def test_what_waits_for_its_jitter_is_not_missed_however_short_the_catchup_window_is() -> None:
    state = made(Rules(jitter_s=3000, catchup_window_s=60), cron="0 * * * *")
    assert isinstance(state, Enabled)
    released = timing.upcoming(state)
    assert released is not None
    assert released > at(60 * MINUTE) + timedelta(seconds=60), "or this shows nothing"
    assert verdicts(ticked(state, (released - NOON).total_seconds())) == [(60, "fired")]
