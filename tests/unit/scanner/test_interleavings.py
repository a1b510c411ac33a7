"""Five writers of one library's catalogue, and each of their steps may come between any two of another's: two attempts
of one scan, one by hand, one by its schedule, one because of a hint. The catalogue lets exactly one of them write."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Append, Origin, Recorded
from linstock.messages.catalogue import CatalogueReleased, CollectionEntry, CollectionsRecorded, ScanStarted
from linstock.messages.scan import Counts, ScanCompleted
from services.scanner.catalogue import CATALOGUE, NotOwner
from services.scanner.ledger import Attempt, Ledger
from services.scanner.pages import Page
from services.scanner.scan import SCAN, AttemptClosed

NOW = datetime(2026, 3, 29, 2, tzinfo=UTC)
LIBRARY = UUID(int=1)
PAGES = 2
BY_HAND, BY_SCHEDULE, BY_HINT = UUID(int=20), UUID(int=30), UUID(int=40)
WRITERS = ((UUID(int=10), 1), (UUID(int=10), 2), (BY_HAND, 1), (BY_SCHEDULE, 1), (BY_HINT, 1))


class Turns(MemoryLog):
    """Every call waits until it is let through. `forgives`: whoever comes too late is let in all the same."""

    def __init__(self, *, forgives: bool = False) -> None:
        super().__init__("scanner")
        self._forgives = forgives
        self._waiting: list[asyncio.Future[None]] = []

    async def append(
        self, appends: Sequence[Append], origin: Origin, *, not_before: datetime | None = None
    ) -> tuple[Recorded, ...]:
        await self._turn()
        if self._forgives:
            appends = [
                replace(each, expected_version=len(self._by_aggregate.get(each.aggregate_id, ()))) for each in appends
            ]
        return await super().append(appends, origin, not_before=not_before)

    async def load(self, aggregate_id: UUID, *, after: int = 0) -> list[Recorded]:
        await self._turn()
        return await super().load(aggregate_id, after=after)

    async def _turn(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    async def run(self, work: Sequence[Coroutine[Any, Any, None]], choose: Callable[[int], int]) -> None:
        """One step at a time. `choose` says whose, of so many."""
        tasks = [asyncio.create_task(each) for each in work]
        while not all(task.done() for task in tasks):
            for _ in range(10):  # until everybody waits
                await asyncio.sleep(0)
            if self._waiting:
                self._waiting.pop(choose(len(self._waiting))).set_result(None)
        await asyncio.gather(*tasks)


def attempt_of(scan_id: UUID, attempt: int) -> Attempt:
    return Attempt(
        scan_id=scan_id, library_id=LIBRARY, attempt=attempt, lease=UUID(int=scan_id.int + attempt), worker="w",
        root="/", workspace="default", correlation_id=scan_id, causation_id=scan_id, traceparent=None,
    )  # fmt: skip


def page(number: int) -> Page:
    entry = CollectionEntry(
        collection_id=UUID(int=1000 + number),
        path="a",
        name="a",
        kind="folder",
        image_count=1,
        size_bytes=1,
        digest="d",
    )
    return Page(collections=(entry,), files=(), added=1, before=(None,))


async def scans(log: MemoryLog, scan_id: UUID, attempt: int) -> None:
    one = attempt_of(scan_id, attempt)
    ledger = Ledger(log, one)
    try:
        await ledger.start(NOW)
        for number in range(PAGES):
            await ledger.record(page(number), NOW)
        verdict = ScanCompleted(
            scan_id=scan_id, library_id=LIBRARY, attempt=attempt, lease=one.lease, counts=Counts(), duration_ms=1,
            held=0, at=NOW, report=(),
        )  # fmt: skip
        await ledger.complete(verdict, held=None, settles=False, file_system="")
    except (NotOwner, AttemptClosed):
        return


def judge(log: MemoryLog) -> None:
    """Raises AssertionError where anybody wrote who did not own, out of order, or after an end."""
    owner: tuple[UUID, int] | None = None
    pages: dict[tuple[UUID, int], int] = {}
    verdicts: list[tuple[UUID, int]] = []
    for recorded in log._events:
        event = (CATALOGUE if recorded.aggregate_id == LIBRARY else SCAN).decode(recorded.data)
        who = (event.scan_id, event.attempt)  # type: ignore[union-attr]
        match event:
            case ScanStarted():
                assert who not in pages, "an owner came back"
                owner, pages[who] = who, 0
            case CollectionsRecorded(page=number):
                assert (who, number) == (owner, pages[who] + 1), "a page of somebody else, or out of order"
                pages[who] = number
            case CatalogueReleased():
                assert who == owner, "somebody else released it"
                owner = None
            case ScanCompleted():
                assert pages[who] == PAGES, "completed without all of its pages"
                verdicts.append(who)
            case _:
                raise AssertionError(f"nobody was to write {event}")
    assert owner is None or owner not in verdicts
    assert len(verdicts) == len(set(verdicts)), "two verdicts on one attempt"
    assert verdicts, "somebody always gets through"


def interleaved(choices: Sequence[int], *, forgives: bool = False) -> MemoryLog:
    log, turns = Turns(forgives=forgives), iter(choices)
    asyncio.run(log.run([scans(log, *writer) for writer in WRITERS], lambda count: next(turns, 0) % count))
    return log


@settings(max_examples=200, derandomize=True)
@given(st.lists(st.integers(0, 4), max_size=120))
def test_whoever_writes_owns_the_catalogue(choices: list[int]) -> None:
    judge(interleaved(choices))


def test_a_log_that_lets_latecomers_in_would_be_found_out() -> None:
    """The control: without expected versions the same interleavings break the rules."""
    broken = 0
    for seed in range(40):
        try:
            judge(interleaved([(seed * 7 + step * step) % 5 for step in range(120)], forgives=True))
        except AssertionError:
            broken += 1
    assert broken > 0


@pytest.mark.parametrize("first", range(len(WRITERS)))
def test_one_after_the_other_each_gets_through_unless_it_is_older(first: int) -> None:
    """Whoever begins runs to its end; then the next in line."""
    log = Turns()
    order = [*WRITERS[first:], *WRITERS[:first]]

    async def all_of_them() -> None:
        for writer in order:
            await log.run([scans(log, *writer)], lambda _: 0)

    asyncio.run(all_of_them())
    judge(log)
