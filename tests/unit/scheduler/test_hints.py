"""Hints: what waits, for how long, and when it is the whole library."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linstock.bus.inbox import Refused
from linstock.messages.hints import HintPaths, HintsReceived, HintsTaken
from linstock.messages.schedule import ScanPath
from services.scheduler import hints
from services.scheduler.hints import MOST_FOLDERS, Hinted, Hints, Patience, Quiet, ReceiveHints, TakeHints
from services.scheduler.limits import check_paths
from tests.support.schedules import NOON

LIBRARY = UUID(int=7)
SECOND = timedelta(seconds=1)


def paths(*named: str) -> tuple[ScanPath, ...]:
    return tuple(ScanPath(path=each) for each in named)


def told(state: Hints, *named: str, at_s: float = 0) -> Hints:
    command = ReceiveHints(hint=HintPaths(library_id=LIBRARY, paths=paths(*named)), at=NOON + at_s * SECOND)
    for event in hints.decide(command, state):
        state = hints.evolve(state, event)
    return state


def waiting(state: Hints) -> Hinted:
    assert isinstance(state, Hinted)
    return state


def test_hints_wait_until_nobody_has_said_anything_for_a_while() -> None:
    state = told(told(Quiet(), "a/1.jpg"), "b/2.jpg", at_s=1.5)
    assert waiting(state).paths == paths("a/1.jpg", "b/2.jpg")
    assert waiting(state).due(Patience()) == NOON + 3.5 * SECOND


def test_and_not_longer_than_half_a_minute_however_many_come() -> None:
    state: Hints = Quiet()
    for second in range(60):
        state = told(state, "a/1.jpg", at_s=second)
    assert waiting(state).due(Patience()) == NOON + 30 * SECOND


def test_a_path_that_was_named_before_is_not_recorded_again() -> None:
    state = told(Quiet(), "a", "a", "b")
    hint = HintPaths(library_id=LIBRARY, paths=paths("b", "c"))
    [received] = hints.decide(ReceiveHints(hint=hint, at=NOON), state)
    assert isinstance(received, HintsReceived)
    assert (waiting(state).paths, received.paths) == (paths("a", "b"), paths("c"))


@pytest.mark.parametrize(
    ("named", "kept"),
    [
        ([f"{number}/a.jpg" for number in range(MOST_FOLDERS)], MOST_FOLDERS),
        ([f"{number}/a.jpg" for number in range(MOST_FOLDERS + 1)], 0),
        ([f"{number}" for number in range(MOST_FOLDERS + 1)], 0),
        ([f"one/{number}.jpg" for number in range(1000)], 1000),
        ([f"one/{number}.jpg" for number in range(1001)], 0),
        (["a", ""], 0),
    ],
)
def test_what_is_much_is_the_whole_library(named: list[str], kept: int) -> None:
    half = len(named) // 2
    state = told(told(Quiet(), *named[:half]), *named[half:]) if half else told(Quiet(), *named)
    assert len(waiting(state).paths) == kept


def test_the_whole_library_stays_the_whole_library() -> None:
    assert waiting(told(told(Quiet(), ""), "a")).paths == ()


def test_hints_are_taken_once() -> None:
    take = TakeHints(job_id=uuid4(), at=NOON)
    [taken] = hints.decide(take, told(Quiet(), "a"))
    assert isinstance(taken, HintsTaken)
    after = hints.evolve(told(Quiet(), "a"), taken)
    assert (after, hints.decide(take, after)) == (Quiet(), [])


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ([], "paths"),
        (["a"] * 1001, "paths"),
        (["a", "../b"], "paths/1"),
        (["a/../../b"], "paths/0"),
        (["/etc/passwd"], "paths/0"),
        (["a\0b"], "paths/0"),
        (["a//b"], "paths/0"),
        (["a/./b"], "paths/0"),
        (["é" * 8193], "paths/0"),
    ],
)
def test_a_hint_names_what_lies_in_the_library(given: list[str], field: str) -> None:
    with pytest.raises(Refused) as refused:
        check_paths(paths(*given))
    assert (refused.value.answer.status, refused.value.answer.field) == (422, field)


@given(st.lists(st.sampled_from(["", "a", "a/b", "a/b.jpg", "c", "c/d.zip"]), min_size=1))
def test_whatever_was_hinted_is_in_what_is_scanned(named: list[str]) -> None:
    state: Hints = Quiet()
    for each in named:
        state = told(state, each)
    assert set(waiting(state).paths) == (set() if "" in named else set(paths(*named)))
