from datetime import UTC, datetime
from functools import reduce
from typing import get_args
from uuid import UUID, uuid5

import msgspec
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from msgspec.structs import replace

from linstock.messages.catalogue import (
    ApproveRemovals,
    CatalogueCommand,
    CatalogueEvent,
    CatalogueReleased,
    CollectionsDeparted,
    CollectionsMarkedMissing,
    CollectionsPurged,
    CollectionsRecorded,
    HoldRemovals,
    HoldSettled,
    RecordPage,
    RejectRemovals,
    ReleaseCatalogue,
    RemovalsApproved,
    RemovalsHeld,
    RemovalsRejected,
    ScanStarted,
    SettleHold,
    StartScan,
)
from services.scanner import catalogue
from services.scanner.catalogue import (
    CATALOGUE,
    IDS_OF_PAGE,
    Catalogue,
    CatalogueBusy,
    Free,
    Hold,
    NoSuchHold,
    NothingProposed,
    NotOwner,
    Owned,
    PageOutOfOrder,
)

NOW = datetime(2026, 3, 29, 2, tzinfo=UTC)
LIBRARY = UUID(int=1)
A, B = UUID(int=10), UUID(int=11)


def started(scan: UUID = A, attempt: int = 1, lease: UUID | None = None) -> ScanStarted:
    return ScanStarted(
        scan_id=scan,
        library_id=LIBRARY,
        attempt=attempt,
        lease=lease or uuid5(scan, str(attempt)),
        worker="w",
        root="/photos",
        at=NOW,
    )


def page(number: int, scan: UUID = A, attempt: int = 1, added: int = 1) -> CollectionsRecorded:
    return CollectionsRecorded(
        scan_id=scan,
        library_id=LIBRARY,
        attempt=attempt,
        page=number,
        collections=(),
        files=(),
        added=added,
        at=NOW,
    )


def held(scan: UUID = A, attempt: int = 1) -> RemovalsHeld:
    return RemovalsHeld(scan_id=scan, library_id=LIBRARY, attempt=attempt, count=3, reason="empty_root", at=NOW)


def released(scan: UUID = A, attempt: int = 1) -> CatalogueReleased:
    return CatalogueReleased(scan_id=scan, library_id=LIBRARY, attempt=attempt, at=NOW)


def settle(scan: UUID = A, attempt: int = 1) -> SettleHold:
    return SettleHold(scan_id=scan, library_id=LIBRARY, attempt=attempt, at=NOW)


def release(scan: UUID = A, attempt: int = 1) -> ReleaseCatalogue:
    return ReleaseCatalogue(scan_id=scan, library_id=LIBRARY, attempt=attempt, at=NOW)


def folded(*history: CatalogueEvent) -> Catalogue:
    return reduce(catalogue.evolve, history, catalogue.initial())


def decided(command: CatalogueCommand, *history: CatalogueEvent) -> list[CatalogueEvent]:
    return catalogue.decide(command, folded(*history))


def test_a_scan_takes_ownership_once() -> None:
    assert decided(StartScan(started=started())) == [started()]
    assert decided(StartScan(started=started()), started()) == []


def test_a_newer_attempt_takes_over_and_the_older_one_is_refused() -> None:
    newer = StartScan(started=started(attempt=2))
    assert decided(newer, started()) == [started(attempt=2)]
    with pytest.raises(NotOwner):
        decided(StartScan(started=started()), started(attempt=2))
    with pytest.raises(NotOwner):
        decided(RecordPage(page=page(1)), started(), started(attempt=2))


def test_another_scan_takes_over_and_the_one_before_does_not_come_back() -> None:
    assert decided(StartScan(started=started(B)), started(A)) == [started(B)]
    with pytest.raises(NotOwner):
        decided(StartScan(started=started(A)), started(A), started(B))
    assert decided(StartScan(started=started(A, 2)), started(A), started(B)) == [started(A, 2)]


def test_a_scan_that_ended_does_not_come_back() -> None:
    with pytest.raises(NotOwner):
        decided(StartScan(started=started()), started(), released())


def test_one_attempt_under_two_leases_has_one_owner() -> None:
    with pytest.raises(NotOwner):
        decided(StartScan(started=started(lease=UUID(int=99))), started())


def test_pages_are_recorded_in_order_each_once() -> None:
    assert decided(RecordPage(page=page(1)), started()) == [page(1)]
    assert decided(RecordPage(page=page(1)), started(), page(1)) == []
    assert decided(RecordPage(page=page(2)), started(), page(1)) == [page(2)]
    with pytest.raises(PageOutOfOrder):
        decided(RecordPage(page=page(3)), started(), page(1))


def test_a_new_owner_counts_its_pages_from_one() -> None:
    assert decided(RecordPage(page=page(1, B)), started(A), page(1), page(2), started(B)) == [page(1, B)]


def test_nobody_writes_to_a_catalogue_that_was_released() -> None:
    with pytest.raises(NotOwner):
        decided(RecordPage(page=page(1)), started(), released())
    with pytest.raises(NotOwner):
        decided(HoldRemovals(held=held()), started(), released())


def test_a_hold_waits_until_it_is_settled() -> None:
    assert decided(HoldRemovals(held=held()), started()) == [held()]
    settled = HoldSettled(scan_id=B, held_scan_id=A, library_id=LIBRARY, at=NOW)
    assert decided(settle(B), started(), held(), released(), started(B)) == [settled]
    assert decided(settle(B), started(B)) == []


def test_a_newer_hold_takes_the_place_of_the_one_that_waits() -> None:
    before = (started(), held(), released(), started(B))
    newer = replace(held(B), replaces=A)
    assert decided(HoldRemovals(held=held(B)), *before) == [newer]
    assert folded(*before, newer).hold == Hold(B, 3, reason="empty_root")


def test_a_rejected_hold_is_nobodys_to_replace() -> None:
    before = (started(), held(), released(), rejected(), started(B))
    assert decided(HoldRemovals(held=held(B)), *before) == [held(B)]


def test_approving_marks_what_was_proposed_in_pages() -> None:
    proposed = [UUID(int=number) for number in range(IDS_OF_PAGE + 1)]
    *pages, approved = approve(proposed, started(), held(), released())
    assert [(type(page), page.page, page.scan_id) for page in pages] == [  # type: ignore[union-attr]
        (CollectionsMarkedMissing, 1, A),
        (CollectionsMarkedMissing, 2, A),
    ]
    assert [each for page in pages for each in page.collections] == proposed  # type: ignore[union-attr]
    assert approved == RemovalsApproved(held_scan_id=A, library_id=LIBRARY, actor="eva", count=len(proposed), at=NOW)
    assert all(len(msgspec.json.encode(page)) <= 512 * 1024 for page in pages)


def test_what_was_decided_is_not_decided_again() -> None:
    decision = approve([B], started(), held(), released())
    with pytest.raises(NoSuchHold):
        approve([B], started(), held(), released(), *decision)
    with pytest.raises(NoSuchHold):
        approve([B], started(), held(), released(), rejected())
    with pytest.raises(NoSuchHold):
        approve([B], started(), released())
    with pytest.raises(NoSuchHold):
        catalogue.reject(
            RejectRemovals(library_id=LIBRARY, scan_id=B), folded(started(), held(), released()), actor="eva", at=NOW
        )


def test_nobody_decides_while_a_scan_looks_again() -> None:
    with pytest.raises(CatalogueBusy) as busy:
        approve([B], started(), held(), released(), started(B))
    assert busy.value.scan_id == B


def test_a_hold_that_does_not_say_what_it_proposed_is_not_approved() -> None:
    with pytest.raises(NothingProposed):
        approve([], started(), held(), released())


def test_content_is_where_a_scan_without_a_hold_saw_it_or_where_somebody_approved() -> None:
    home, away = replace(released(), file_system="home"), replace(held(B), file_system="away")
    assert folded(started(), home).file_system == "home"
    waiting = (started(), home, started(B), away, released(B))
    assert folded(*waiting).file_system == "home"
    approved = RemovalsApproved(held_scan_id=B, library_id=LIBRARY, actor="eva", count=1, at=NOW)
    assert folded(*waiting, approved).file_system == "away"
    assert folded(*waiting, rejected(B)).file_system == "home"


def approve(proposed: list[UUID], *history: CatalogueEvent) -> list[CatalogueEvent]:
    command = ApproveRemovals(library_id=LIBRARY, scan_id=A)
    return catalogue.approve(command, folded(*history), proposed=proposed, actor="eva", at=NOW)


def rejected(scan: UUID = A) -> RemovalsRejected:
    return RemovalsRejected(held_scan_id=scan, library_id=LIBRARY, actor="eva", at=NOW)


def test_releasing_what_is_not_owned_does_nothing() -> None:
    assert decided(release(), started()) == [released()]
    assert decided(release(), started(), released()) == []
    assert decided(release(), started(B)) == []


def test_known_collections_are_counted() -> None:
    assert folded(started(), page(1, added=3), page(2, added=4), released()).known == 7


scans = st.sampled_from([A, B, UUID(int=12)])
attempts = st.integers(1, 3)
numbers = st.integers(1, 4)
events = st.one_of(
    st.builds(started, scans, attempts),
    st.builds(page, numbers, scans, attempts),
    st.builds(held, scans, attempts),
    st.builds(released, scans, attempts),
    st.builds(lambda scan: HoldSettled(scan_id=scan, held_scan_id=A, library_id=LIBRARY, at=NOW), scans),
    st.builds(rejected, scans),
)
commands = st.one_of(
    st.builds(lambda *args: StartScan(started=started(*args)), scans, attempts),
    st.builds(lambda *args: RecordPage(page=page(*args)), numbers, scans, attempts),
    st.builds(lambda *args: HoldRemovals(held=held(*args)), scans, attempts),
    st.builds(settle, scans, attempts),
    st.builds(release, scans, attempts),
)


def attempted(command: CatalogueCommand, state: Catalogue) -> list[CatalogueEvent]:
    """What is decided; nothing when it is refused."""
    try:
        return catalogue.decide(command, state)
    except (NotOwner, PageOutOfOrder):
        return []


@for_all(st.lists(events))
def test_any_history_folds(history: list[CatalogueEvent]) -> None:
    assert isinstance(folded(*history), get_args(Catalogue))


@for_all(st.lists(events), st.integers(0, 50))
def test_the_fold_of_a_split_is_the_fold_of_the_whole(history: list[CatalogueEvent], at: int) -> None:
    assert reduce(catalogue.evolve, history[at:], folded(*history[:at])) == folded(*history)


@for_all(st.lists(events))
def test_a_snapshot_is_the_state(history: list[CatalogueEvent]) -> None:
    state = folded(*history)
    assert msgspec.json.decode(msgspec.json.encode(state), type=Free | Owned) == state


@for_all(st.lists(commands), commands)
def test_a_command_done_twice_is_done_once(before: list[CatalogueCommand], command: CatalogueCommand) -> None:
    state = reduce(lambda now, each: reduce(catalogue.evolve, attempted(each, now), now), before, catalogue.initial())
    after = reduce(catalogue.evolve, attempted(command, state), state)
    assert attempted(command, after) == []


@for_all(st.lists(commands, max_size=40))
def test_only_the_last_recorded_owner_writes_and_nobody_owns_it_twice(given: list[CatalogueCommand]) -> None:
    state = catalogue.initial()
    owner: tuple[UUID, int] | None = None
    owners: set[tuple[UUID, int]] = set()
    for command in given:
        for event in attempted(command, state):
            match event:
                case ScanStarted(scan_id=scan, attempt=attempt):
                    owner = (scan, attempt)
                    assert owner not in owners
                    owners.add(owner)
                case CatalogueReleased(scan_id=scan, attempt=attempt):
                    assert (scan, attempt) == owner
                    owner = None
                case HoldSettled(scan_id=scan):
                    assert owner
                    assert scan == owner[0]
                case RemovalsApproved() | RemovalsRejected() | CollectionsPurged() | CollectionsDeparted():
                    raise AssertionError("people decide, scans don't")
                case _:
                    assert (event.scan_id, event.attempt) == owner
            state = catalogue.evolve(state, event)


def test_the_aggregate_decodes_what_it_stores() -> None:
    assert CATALOGUE.decode(msgspec.json.encode(started())) == started()
