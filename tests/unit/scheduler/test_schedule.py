"""What a schedule does with what it hears: given / when / then."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import reduce

import msgspec
import pytest
from hypothesis import given as sampled
from hypothesis import strategies as st
from msgspec.structs import replace

from linstock import names
from linstock.messages.rules import Timing
from linstock.messages.schedule import (
    ForgetLibrary,
    Passed,
    ScheduleChanged,
    ScheduleCommand,
    ScheduleDeleted,
    ScheduleDisabled,
    ScheduleEnabled,
    ScheduleEvent,
    Tick,
    TickFired,
    TicksSkipped,
)
from services.scheduler import schedule
from tests.support.schedules import JOB, LIBRARY, NOON, SCHEDULE, defined, follow, seconds, settings, target

DEFINED = defined(cron="* * * * * *")
PER_SECOND = settings(cron="* * * * * *")


def at(second: float) -> datetime:
    return NOON + seconds(second)


def given(*history: ScheduleEvent) -> Callable[[ScheduleCommand], Sequence[ScheduleEvent]]:
    state = reduce(schedule.evolve, history, schedule.initial())
    return lambda command: schedule.decide(command, state)


def tick(*instants: float, now: float | None = None, busy: bool = False) -> Tick:
    return Tick(
        instants=tuple(at(instant) for instant in instants),
        now=at(instants[-1] if now is None else now),
        busy=JOB if busy else None,
        tzdata="2026a",
    )


def fired(second: float, *, verdict: str = "fired", missed: int = 0, version: int = 1) -> TickFired:
    return TickFired(
        schedule_id=SCHEDULE,
        instant=at(second),
        job_id=names.job_of_tick(SCHEDULE, at(second).isoformat()),
        verdict=verdict,
        missed_count=missed,
        version=version,
        tzdata="2026a",
    )


def skipped(first: float, last: float, count: int, reason: str, *, version: int = 1) -> TicksSkipped:
    return TicksSkipped(
        schedule_id=SCHEDULE,
        first=at(first),
        last=at(last),
        count=count,
        reason=reason,
        busy=JOB if reason == "overlap" else None,
        version=version,
        tzdata="2026a",
    )


def changed(
    version: int,
    library_version: int,
    *,
    name: str = "Holidays",
    cron: str,
    cursor: float,
    timed: float | None = None,
) -> ScheduleChanged:
    return ScheduleChanged(
        schedule_id=SCHEDULE,
        version=version,
        name=f"Library Scan - {name}",
        description=f"Automatic scan for library: {name}",
        timing=Timing(expression=cron, zone="UTC"),
        target=target(name=name),
        library_version=library_version,
        cursor=at(cursor),
        timing_at=at(cursor if timed is None else timed),
    )


DISABLED = ScheduleDisabled(schedule_id=SCHEDULE, library_version=2, at=at(1), auto_scan_at=at(1), library_id=LIBRARY)
ENABLED = ScheduleEnabled(schedule_id=SCHEDULE, library_version=3, cursor=at(9), auto_scan_at=at(9), library_id=LIBRARY)
DELETED = ScheduleDeleted(schedule_id=SCHEDULE, library_version=4)


def test_a_library_gets_a_schedule_also_while_it_does_not_want_to_be_scanned() -> None:
    assert given()(follow(1, PER_SECOND)) == [DEFINED]
    asleep = settings(cron="* * * * * *", auto_scan=False)
    assert given()(follow(1, asleep)) == [replace(DEFINED, enabled=False)]


def test_new_timing_raises_the_version_and_never_fires_the_past() -> None:
    later = follow(2, settings(cron="*/5 * * * * *"), at=at(7))
    assert given(DEFINED, fired(1))(later) == [
        skipped(2, 7, 6, "misfire"),
        changed(2, 2, cron="*/5 * * * * *", cursor=7),
    ]


def test_a_new_name_does_not_swallow_a_tick_that_is_due() -> None:
    renamed = follow(2, settings("Summer", cron="* * * * * *"), at=at(7))
    assert given(DEFINED, fired(1))(renamed) == [changed(2, 2, name="Summer", cron="* * * * * *", cursor=1, timed=7)]


def test_auto_scan_off_disables_and_on_enables_without_making_up_for_the_time_between() -> None:
    off, on = settings(cron="* * * * * *", auto_scan=False), PER_SECOND
    assert given(DEFINED)(follow(2, off, at=at(1))) == [DISABLED]
    assert given(DEFINED, DISABLED)(follow(3, on, at=at(9))) == [skipped(1, 9, 9, "disabled"), ENABLED]
    assert given(DEFINED, DISABLED)(tick(2)) == []
    assert given(DEFINED, DISABLED, ENABLED)(tick(2)) == []
    assert given(DEFINED, DISABLED, ENABLED)(tick(10)) == [fired(10)]


def test_new_timing_and_a_switch_can_come_together() -> None:
    off = settings(cron="*/5 * * * * *", auto_scan=False)
    assert given(DEFINED)(follow(2, off, at=at(1))) == [
        skipped(1, 1, 1, "misfire"),
        changed(2, 2, cron="*/5 * * * * *", cursor=1),
        DISABLED,
    ]


def test_an_older_version_of_the_library_that_arrives_late_changes_nothing() -> None:
    nothing_new = changed(1, 3, cron="* * * * * *", cursor=0)
    assert given(DEFINED)(follow(3, PER_SECOND)) == [nothing_new]
    assert given(DEFINED, nothing_new)(follow(2, settings(cron="0 0 * * *"))) == []
    assert given(DEFINED, nothing_new)(follow(3, settings(cron="0 0 * * *"))) == []


def test_a_deletion_wins_also_when_it_arrives_before_the_definition() -> None:
    forget = ForgetLibrary(schedule_id=SCHEDULE, library_version=4, at=NOON)
    assert given()(forget) == [DELETED]
    assert given(DELETED)(follow(1, PER_SECOND)) == []
    assert given(DEFINED)(forget) == [DELETED]
    assert given(DEFINED, DELETED)(forget) == []
    assert given(DEFINED, DELETED)(tick(1)) == []


def test_an_instant_proposed_twice_fires_once() -> None:
    assert given(DEFINED)(tick(1)) == [fired(1)]
    assert given(DEFINED, fired(1))(tick(1)) == []
    assert given(DEFINED, fired(5))(tick(4)) == []


def test_an_instant_in_the_future_does_not_fire() -> None:
    assert given(DEFINED)(tick(2, now=1)) == []


@pytest.mark.parametrize(
    ("lateness_s", "verdict"), [(0.0, "fired"), (1.0, "fired"), (1.001, "late"), (60.0, "late"), (61.0, "caught_up")]
)
def test_the_verdict_says_how_late_it_was(lateness_s: float, verdict: str) -> None:
    assert given(DEFINED)(tick(1, now=1 + lateness_s)) == [fired(1, verdict=verdict)]


def test_after_an_absence_the_latest_instant_fires_and_one_event_names_those_before_it() -> None:
    assert given(DEFINED)(tick(1, 2, 3, now=3.2)) == [
        skipped(1, 2, 2, "misfire"),
        fired(3, verdict="caught_up", missed=2),
    ]
    many = Passed(first=at(1), last=at(99), count=99, reason="misfire")
    assert given(DEFINED)(replace(tick(100), passed=(many,))) == [
        skipped(1, 99, 99, "misfire"),
        fired(100, verdict="caught_up", missed=99),
    ]


def test_a_schedule_whose_job_still_runs_skips_and_says_for_whom() -> None:
    assert given(DEFINED)(tick(1, busy=True)) == [skipped(1, 1, 1, "overlap")]
    assert given(DEFINED)(tick(1, 2, busy=True)) == [skipped(1, 1, 1, "misfire"), skipped(2, 2, 1, "overlap")]


follows = st.builds(
    lambda version, cron, name, on, second: follow(
        version, settings(name, cron=cron, auto_scan=on), library_id=LIBRARY, at=at(second)
    ),
    st.integers(1, 6),
    st.sampled_from(["* * * * * *", "0 2 * * *"]),
    st.sampled_from(["Holidays", "Summer"]),
    st.booleans(),
    st.integers(0, 50),
)
ticks = st.builds(
    lambda instants, late, busy: tick(*sorted(instants), now=max(instants) + late, busy=busy),
    st.sets(st.integers(0, 50), min_size=1, max_size=4),
    st.integers(-1, 90),
    st.booleans(),
)
forgets = st.builds(
    lambda version: ForgetLibrary(schedule_id=SCHEDULE, library_version=version, at=NOON), st.integers(1, 6)
)
commands = st.lists(st.one_of(follows, ticks, ticks, forgets), max_size=15)
events = st.lists(
    st.one_of(
        st.sampled_from([DEFINED, DISABLED, ENABLED, DELETED, changed(2, 2, cron="0 0 * * *", cursor=3)]),
        st.builds(fired, st.integers(0, 50)),
        st.builds(lambda second: skipped(second, second, 1, "misfire"), st.integers(0, 50)),
    ),
    max_size=12,
)


@sampled(events)
def test_every_history_can_be_folded_and_the_state_survives_a_snapshot(history: list[ScheduleEvent]) -> None:
    state = reduce(schedule.evolve, history, schedule.initial())
    assert msgspec.json.decode(msgspec.json.encode(state), type=schedule.Schedule) == state


@sampled(commands, st.data())
def test_deciding_twice_adds_nothing_and_folding_in_parts_is_folding_the_whole(
    asked: list[ScheduleCommand], data: st.DataObject
) -> None:
    state, history = schedule.initial(), list[ScheduleEvent]()
    for command in asked:
        new = schedule.decide(command, state)
        history += new
        state = reduce(schedule.evolve, new, state)
        assert schedule.decide(command, state) == []
    split = data.draw(st.integers(0, len(history)))
    part = reduce(schedule.evolve, history[:split], schedule.initial())
    part = msgspec.json.decode(msgspec.json.encode(part), type=schedule.Schedule)
    assert reduce(schedule.evolve, history[split:], part) == state


@sampled(commands)
def test_the_cursor_never_moves_back_and_no_instant_is_decided_twice(asked: list[ScheduleCommand]) -> None:
    state, decided = schedule.initial(), set[datetime]()
    for command in asked:
        before = state
        for event in schedule.decide(command, state):
            state = schedule.evolve(state, event)
            if isinstance(event, TickFired):
                assert event.instant not in decided
                decided.add(event.instant)
        if isinstance(before, schedule.Enabled) and isinstance(state, schedule.Enabled):
            assert state.cursor >= before.cursor
