"""Read models as pure folds: however deliveries are repeated, regrouped or interleaved, the rows come out the same."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linstock.bus.envelope import Delivered
from services.projection.chain import Gap, NewEpoch, Position, cut
from services.projection.fact import Poison, event_types, fact_of
from services.projection.rows import Added
from services.projection.sums import Sums
from services.projection.tables import Tables
from tests.support.folded import asked_for
from tests.support.recorded import RecordedLog
from tests.support.story import Story

SEED = UUID(int=7)


class Memory:
    """What Postgres keeps between batches. Only rows that a view asked for are handed to it, as in the real thing."""

    def __init__(self) -> None:
        self.positions: dict[str, Position] = {}
        self.rows: dict[str, dict[object, msgspec.Struct]] = {}

    def apply(self, batch: Sequence[Delivered]) -> object:
        following = cut(self.positions, batch)
        facts = [fact_of(delivered) for delivered in following.next]
        tables = Tables()
        for rows, keys in tables.reads(facts):
            rows.loaded(asked_for(rows, self.rows.get(rows.table, {}).values(), keys))
        tables.fold(facts)
        for rows in tables.all():
            stored = self.rows.setdefault(rows.table, {})
            for row in rows.changed():
                key = tuple(getattr(row, column) for column in rows.key_columns)
                assert not isinstance(rows, Added) or key not in stored
                stored[key if len(key) > 1 else key[0]] = row
        for sums in tables.sums():
            self._add(sums)
        self.positions = following.positions
        return following.stop

    def _add(self, sums: Sums[Any]) -> None:
        stored = self.rows.setdefault(sums.table, {})
        for row in sums.changed():
            key = tuple(getattr(row, column) for column in sums.key_columns)
            before = stored.pop(key, None)
            amounts = {
                column: getattr(row, column) + (getattr(before, column) if before else 0) for column in sums.sum_columns
            }
            if any(amounts.values()):
                stored[key] = msgspec.structs.replace(row, **amounts)


def rows_of(batches: Iterable[Sequence[Delivered]]) -> dict[str, dict[object, msgspec.Struct]]:
    memory = Memory()
    for batch in batches:
        assert memory.apply(batch) is None
    return memory.rows


def _scan(draw: st.DrawFn, story: Story, run: int, names: list[str]) -> None:
    match draw(st.sampled_from(["completes", "fails", "retries", "holds", "misses", "finds again", "goes on"])):
        case "completes":
            story.page(run, *names).seen(run).succeeded(run)
        case "fails":
            story.failed(run)
        case "retries":
            story.page(run, *names).retried(run).started(run, attempt=2).seen(run, attempt=2)
            story.succeeded(run, attempt=2)
        case "holds":
            story.proposed(run, *names).held(run, 3, replaces=draw(st.sampled_from([None, run - 1])))
            story.seen(run, held=3).succeeded(run)
            if draw(st.booleans()):
                story.decided(run, approved=draw(st.booleans()))
        case "misses":
            story.page(run, *names).images_left(run, "abc", 2)
            story.marked_missing(run, *names, files=story.gone("abc", 1)).seen(run).succeeded(run)
        case "finds again":
            story.restored(run, *names).seen(run).succeeded(run)
        case _:  # goes on
            story.page(run, *names)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    story = Story(seed=SEED).created()
    for run in range(1, draw(st.integers(1, 4)) + 1):
        story.requested(run).started(run)
        names = draw(st.lists(st.sampled_from("abc"), unique=True))
        _scan(draw, story, run, names)
        if draw(st.booleans()):
            story.ignored(run)
        if run > 1 and draw(st.booleans()):
            story.settled(run, held_by=run - 1)
        if draw(st.booleans()):
            story.paused().renamed(f"name {run}")
    if draw(st.booleans()):
        story.deleted()
    return story


@st.composite
def regrouped(draw: st.DrawFn, deliveries: Sequence[Delivered]) -> list[list[Delivered]]:
    """Cut into batches; at each cut delivery may go back to an earlier point, as after a reset or a refill."""
    batches, at = [], 0
    while at < len(deliveries):
        at = max(0, at - draw(st.integers(0, 5)))
        size = draw(st.integers(6, 12))
        batches.append(list(deliveries[at : at + size]))
        at += size
    return batches


@given(st.data())
@settings(deadline=None)
def test_duplicates_and_other_groupings_change_no_row(data: st.DataObject) -> None:
    deliveries = data.draw(stories()).deliveries()
    once = rows_of([deliveries])
    assert rows_of([[delivered] for delivered in deliveries]) == once
    assert rows_of(data.draw(regrouped(deliveries))) == once


@given(st.data())
@settings(deadline=None)
def test_the_order_between_logs_changes_no_row(data: st.DataObject) -> None:
    story = data.draw(stories())
    once = rows_of([story.deliveries()])
    waiting = [list(log.deliveries) for log in story.logs()]
    shuffled = []
    while any(waiting):
        log = data.draw(st.sampled_from([index for index, left in enumerate(waiting) if left]))
        shuffled.append(waiting[log].pop(0))
    assert rows_of([shuffled[:7], shuffled[7:]]) == once


@given(st.data())
@settings(deadline=None)
def test_an_event_left_out_is_noticed_at_its_successor(data: st.DataObject) -> None:
    log = data.draw(stories()).scheduler
    left_out = data.draw(st.integers(0, len(log.deliveries) - 2))
    following = cut({}, log.deliveries[:left_out] + log.deliveries[left_out + 1 :])
    assert isinstance(following.stop, Gap)
    assert len(following.next) == left_out
    assert following.stop.previous == log.deliveries[left_out].recorded.position


def test_positions_may_have_holes() -> None:
    log = RecordedLog("library", hole=5)
    for delivered in Story(seed=SEED).created().renamed("x").library.deliveries:
        log.says(SEED, fact_of(delivered).event)
    assert cut({}, log.deliveries).stop is None
    assert log.position == 18


def test_another_epoch_is_not_a_duplicate() -> None:
    old, new = Story(seed=SEED).created(), Story().created()
    stands = cut({}, old.library.deliveries).positions
    following = cut(stands, new.library.deliveries)
    assert (following.next, following.taken) == ([], 0)
    assert following.stop == NewEpoch("library", new.library.epoch)


def test_a_first_event_without_its_predecessors_is_a_gap() -> None:
    log = Story(seed=SEED).created().library
    assert cut({}, log.deliveries[1:]).stop == Gap("library", 0, previous=2, position=4)


def test_an_unknown_type_and_an_unreadable_body_are_poison() -> None:
    delivered = Story(seed=SEED).created().library.deliveries[0]
    for change in ({"type": "linstock.library.dreamt.v1"}, {"data": msgspec.Raw(b'{"libraryId":1}')}):
        recorded = msgspec.structs.replace(delivered.recorded, **change)
        with pytest.raises(Poison) as caught:
            fact_of(msgspec.structs.replace(delivered, recorded=recorded))
        assert (caught.value.log, caught.value.position) == ("library", 2)


def test_every_event_of_the_contract_can_be_read() -> None:
    types = event_types()
    assert {"linstock.library.created.v1", "linstock.job.succeeded.v1", "linstock.scan.completed.v1"} <= set(types)
    assert all(type_.count(".") == 3 for type_ in types)


def test_an_attempt_that_lost_its_lease_does_not_speak_for_the_scan() -> None:
    story = Story(seed=SEED).created().requested(1).started(1).retried(1).started(1, attempt=2)
    before = rows_of([story.deliveries()])["scans"]
    late = story.seen(1, attempt=1).deliveries()
    assert rows_of([late])["scans"] == before


def test_totals_count_runs_and_keep_the_last_error_until_one_completes() -> None:
    story = Story(seed=SEED).created().scanned(1, "a").requested(2).started(2).failed(2)
    totals = rows_of([story.deliveries()])["run_totals"]
    assert set(totals) == {"default", f"default/{story.schedule_id}", f"default/{story.library_id}"}
    shown, *others = [msgspec.structs.asdict(each) | {"scope": ""} for each in totals.values()]
    assert others == [shown, shown]
    assert (shown["run_count"], shown["success_count"], shown["failure_count"]) == (2, 1, 1)
    assert (shown["last_run_status"], shown["last_error_message"]) == (
        "Failed",
        "There is no folder at /data/pictures",
    )
    totals = rows_of([story.scanned(3).deliveries()])["run_totals"]
    assert msgspec.structs.asdict(totals["default"])["last_error_message"] is None
