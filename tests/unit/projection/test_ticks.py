"""The ledger's rows: one for each instant that fired, one for each range that was skipped, and their versions."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeVar
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from linstock.bus.envelope import Delivered
from linstock.messages.rules import Timing
from linstock.messages.schedule import ScheduleDeleted, ScheduleEvent, TickFired
from services.projection.fact import fact_of
from services.projection.views.schedule_versions import ScheduleVersion
from services.projection.views.ticks import Tick
from services.scheduler.schedule import Deleted, Schedule, evolve, initial
from services.scheduler.schedule.states import Live
from tests.support.recorded import NOON
from tests.support.story import Story
from tests.unit.projection.test_folds import SEED, regrouped, rows_of

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

Row = TypeVar("Row")


def told(story: Story, table: str, kind: type[Row]) -> list[Row]:
    return [row for row in rows_of([story.deliveries()]).get(table, {}).values() if isinstance(row, kind)]


def ticks(story: Story) -> list[Tick]:
    return told(story, "ticks", Tick)


def versions(story: Story) -> list[ScheduleVersion]:
    return told(story, "schedule_versions", ScheduleVersion)


def day(number: int) -> datetime:
    """The first is one second after the schedule's definition."""
    return NOON + number * DAY


def deleted(story: Story) -> Story:
    gone = ScheduleDeleted(schedule_id=story.schedule_id, library_version=1, reason="asked")
    story.scheduler.says(story.schedule_id, gone, actor="ann")
    return story


def test_what_fired_and_what_was_skipped_is_a_row_each_with_all_that_the_event_says() -> None:
    story = Story(seed=SEED).created().fired(day(1), 1, "caught_up", missed=4)
    story.skipped(day(2), day(5), 4, "overlap", busy=story.run(1))
    fired, skipped = ticks(story)
    assert fired == Tick(
        schedule_id=story.schedule_id, ordinal=1, workspace="default", first=day(1), last=day(1), instants=1,
        verdict="caught_up", reason=None, moved=False, missed_count=4, job_id=story.run(1), busy_id=None, version=1,
        tzdata="2026f", decided_at=NOON + timedelta(seconds=1),
    )  # fmt: skip
    assert skipped == Tick(
        schedule_id=story.schedule_id, ordinal=2, workspace="default", first=day(2), last=day(5), instants=4,
        verdict="skipped", reason="overlap", moved=False, missed_count=0, job_id=None, busy_id=story.run(1), version=1,
        tzdata="2026f", decided_at=NOON + timedelta(seconds=2),
    )  # fmt: skip


def test_what_the_clocks_moved_says_so() -> None:
    story = Story(seed=SEED).created()
    moved = TickFired(
        schedule_id=story.schedule_id, instant=day(1), job_id=story.run(1), verdict="fired", missed_count=0, version=1,
        tzdata="2026f", moved=True,
    )  # fmt: skip
    story.scheduler.says(story.schedule_id, moved)
    assert [row.moved for row in ticks(story)] == [True]


def test_each_schedule_counts_its_own() -> None:
    story = Story(seed=SEED).created().fired(day(1), 1)
    other = Story(seed=UUID(int=8), beside=story).created().fired(day(1), 1)
    story.fired(day(2), 2)
    assert [(row.schedule_id, row.ordinal) for row in ticks(story)] == [
        (story.schedule_id, 1),
        (other.schedule_id, 1),
        (story.schedule_id, 2),
    ]


def test_ticks_of_what_was_never_defined_are_none() -> None:
    assert ticks(Story(seed=SEED).fired(day(1), 1)) == []


def test_a_reason_that_is_not_known_yet_is_kept_as_it_is() -> None:
    story = Story(seed=SEED).created().skipped(day(1), day(1), 1, "sunspots")
    assert [row.reason for row in ticks(story)] == ["sunspots"]


def test_an_edit_is_a_version_with_who_and_from_when_on() -> None:
    story = Story(seed=SEED).created().paused().retimed(2, "0 4 * * *", after=day(3), zone="Europe/Berlin")
    first, second = versions(story)
    assert (first.version, first.edition) == (1, 1)
    timings = [msgspec.json.decode(row.timing, type=Timing) for row in (first, second)]
    assert timings == [Timing(expression="0 2 * * *", zone="UTC"), Timing(expression="0 4 * * *", zone="Europe/Berlin")]
    assert (first.cursor, first.made_by, first.deleted_at) == (NOON, "test", None)
    assert second == ScheduleVersion(
        schedule_id=story.schedule_id, version=2, workspace="default", edition=3, name="version 2",
        timing=second.timing, rules=first.rules, made_at=NOON + timedelta(seconds=2),
        made_by="editor-2", cursor=day(3),
    )  # fmt: skip


def test_hearing_that_a_library_changed_nothing_here_is_no_version() -> None:
    story = Story().created().retimed(2, "0 4 * * *", after=NOON)
    before = versions(story)
    assert versions(story.retimed(2, "0 4 * * *", after=NOON)) == before


def test_the_version_that_was_deleted_says_so_once_and_one_that_comes_back_is_another() -> None:
    story = deleted(deleted(Story(seed=SEED).created().retimed(2, "0 4 * * *", after=NOON))).created()
    assert [(row.version, row.deleted_at, row.deleted_by) for row in versions(story)] == [
        (1, None, None),
        (2, NOON + timedelta(seconds=2), "ann"),
        (3, None, None),
    ]


@st.composite
def ledgers(draw: st.DrawFn) -> Story:
    """Two schedules that fire, skip, are edited, deleted and defined again; each as its owner would."""
    first = Story(seed=SEED)
    stories = [first.created(), Story(seed=UUID(int=8), beside=first).created()]
    stands = {story.schedule_id: (1, 0, True) for story in stories}  # version, days that are decided, lives
    for number in range(draw(st.integers(1, 25))):
        story = draw(st.sampled_from(stories))
        version, decided, lives = stands[story.schedule_id]
        match draw(st.sampled_from(["fires", "skips", "edited", "deleted"])) if lives else "defined":
            case "fires":
                story.fired(day(decided + 1), number, version=version)
                decided += 1
            case "skips":
                count = draw(st.integers(1, 9))
                story.skipped(day(decided + 1), day(decided + count), count, "misfire", version=version)
                decided += count
            case "edited":
                version += 1
                story.retimed(version, "0 3 * * *", after=day(decided))
            case "deleted":
                deleted(story)
                lives = False
            case _:
                story.created()
                version, lives = version + 1, True
        stands[story.schedule_id] = (version, decided, lives)
    return first


@given(st.data())
@settings(deadline=None)
def test_any_batching_and_any_repetition_gives_the_same_rows(data: st.DataObject) -> None:
    deliveries = data.draw(ledgers()).deliveries()
    once = ledger_of([deliveries])
    assert ledger_of([[delivered] for delivered in deliveries]) == once
    assert ledger_of(data.draw(regrouped(deliveries))) == once


def ledger_of(batches: list[list[Delivered]]) -> list[object]:
    rows = rows_of(batches)
    return [rows["ticks"], rows["schedule_versions"], rows["schedules"]]


@given(ledgers())
@settings(deadline=None)
def test_ordinals_have_no_holes_and_ascend_with_the_instants(story: Story) -> None:
    """What pages and totals rest on."""
    by_schedule: dict[UUID, list[Tick]] = {}
    for row in ticks(story):
        by_schedule.setdefault(row.schedule_id, []).append(row)
    for rows in by_schedule.values():
        assert [row.ordinal for row in rows] == list(range(1, len(rows) + 1))
        assert all(before.last < after.first for before, after in pairwise(rows))


@given(ledgers())
@settings(deadline=None)
def test_every_tick_names_a_version_that_there_is_numbered_as_its_owner_does(story: Story) -> None:
    known = {(row.schedule_id, row.version) for row in versions(story)}
    assert all((row.schedule_id, row.version) in known for row in ticks(story))
    states: dict[UUID, Schedule] = {}
    for delivered in story.scheduler.deliveries:
        fact = fact_of(delivered)
        if isinstance(fact.event, ScheduleEvent):
            states[fact.aggregate_id] = evolve(states.get(fact.aggregate_id, initial()), fact.event)
    for schedule_id, state in states.items():
        last = max(row.version for row in versions(story) if row.schedule_id == schedule_id)
        rules = state.last if isinstance(state, Deleted) else state
        assert isinstance(rules, Live)
        assert last == rules.version
