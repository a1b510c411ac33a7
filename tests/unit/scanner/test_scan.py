from datetime import UTC, datetime
from functools import reduce
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from linstock.messages.scan import (
    AbandonScan,
    CompleteScan,
    Counts,
    FailScan,
    ScanCancelled,
    ScanCommand,
    ScanCompleted,
    ScanEvent,
    ScanFailed,
)
from services.scanner import scan
from services.scanner.scan import AttemptClosed

NOW = datetime(2026, 3, 29, 2, tzinfo=UTC)
SCAN, LIBRARY, LEASE = UUID(int=1), UUID(int=2), UUID(int=3)


def completed(attempt: int = 1) -> ScanCompleted:
    return ScanCompleted(
        scan_id=SCAN,
        library_id=LIBRARY,
        attempt=attempt,
        lease=LEASE,
        counts=Counts(),
        duration_ms=5,
        held=0,
        at=NOW,
    )


def failed(attempt: int = 1, *, final: bool = False) -> ScanFailed:
    return ScanFailed(
        scan_id=SCAN,
        library_id=LIBRARY,
        attempt=attempt,
        lease=LEASE,
        code="root_missing",
        message="Away.",
        final=final,
        at=NOW,
    )


def cancelled(attempt: int = 1) -> ScanCancelled:
    return ScanCancelled(scan_id=SCAN, library_id=LIBRARY, attempt=attempt, reason="timeout", at=NOW)


def decided(command: ScanCommand, *history: ScanEvent) -> list[ScanEvent]:
    return scan.decide(command, reduce(scan.evolve, history, scan.initial()))


def test_an_attempt_gets_one_verdict_the_first() -> None:
    assert decided(CompleteScan(verdict=completed())) == [completed()]
    assert decided(CompleteScan(verdict=completed()), completed()) == []
    assert decided(FailScan(verdict=failed()), completed()) == []
    assert decided(CompleteScan(verdict=completed()), cancelled()) == []
    assert decided(AbandonScan(verdict=cancelled()), failed()) == []


def test_the_next_attempt_gets_its_own() -> None:
    assert decided(CompleteScan(verdict=completed(2)), failed(1)) == [completed(2)]
    assert decided(CompleteScan(verdict=completed(2)), cancelled(1)) == [completed(2)]


def test_an_attempt_whose_completion_came_too_late_for_its_job_is_followed_by_another() -> None:
    assert decided(CompleteScan(verdict=completed(2)), completed(1)) == [completed(2)]


def test_an_older_attempt_says_nothing_after_a_newer_one() -> None:
    assert decided(CompleteScan(verdict=completed(1)), cancelled(2)) == []


def test_a_closed_attempt_does_not_run() -> None:
    scan.refuse_closed(SCAN, 2, scan.evolve(scan.initial(), failed(1)))
    with pytest.raises(AttemptClosed):
        scan.refuse_closed(SCAN, 1, scan.evolve(scan.initial(), failed(1)))


attempts = st.integers(1, 4)
commands = st.one_of(
    st.builds(lambda n: CompleteScan(verdict=completed(n)), attempts),
    st.builds(lambda n: FailScan(verdict=failed(n)), attempts),
    st.builds(lambda n: AbandonScan(verdict=cancelled(n)), attempts),
)
events = st.one_of(st.builds(completed, attempts), st.builds(failed, attempts), st.builds(cancelled, attempts))


@for_all(st.lists(commands))
def test_every_attempt_has_at_most_one_verdict_whatever_is_said(given: list[ScanCommand]) -> None:
    said: list[int] = []
    for command in given:
        state = reduce(scan.evolve, [cancelled(attempt) for attempt in said], scan.initial())
        said += [event.attempt for event in scan.decide(command, state)]
    assert said == sorted(set(said))


@for_all(st.lists(events), st.integers(0, 20))
def test_the_fold_of_a_split_is_the_fold_of_the_whole(history: list[ScanEvent], at: int) -> None:
    whole = reduce(scan.evolve, history, scan.initial())
    assert reduce(scan.evolve, history[at:], reduce(scan.evolve, history[:at], scan.initial())) == whole


@for_all(st.lists(events), commands)
def test_a_command_done_twice_is_done_once(history: list[ScanEvent], command: ScanCommand) -> None:
    once = decided(command, *history)
    assert decided(command, *history, *once) == []
