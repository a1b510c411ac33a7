"""Group commit against a store that we hold still, so that what goes together is seen."""

import asyncio
from collections import deque
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from linstock.eventlog.group_commit import LIMIT_BYTES, LIMIT_EVENTS, Entry, GroupCommit, LogClosed, take_batch
from linstock.eventlog.record import FutureInstant, VersionConflict
from linstock.eventlog.stored import Encoded, Envelope, Row
from tests.support.diary import AT


def row(aggregate: UUID, version: int, size_bytes: int = 100) -> Row:
    envelope = Envelope(
        id=uuid4(), time=AT, workspace="w", aggregate="diary", actor="a", correlation=uuid4(), data=Raw(b"1")
    )
    return Row(aggregate, version, "linstock.diary.noted.v1", b"x" * size_bytes, envelope)


def entry(aggregate: UUID | None = None, *, events: int = 1, size_bytes: int = 100) -> Entry:
    aggregate = aggregate or uuid4()
    rows = tuple(row(aggregate, version + 1, size_bytes) for version in range(events))
    return Entry(Encoded(rows, ((aggregate, 0),)))


class Store:
    """Commits when told to, and remembers what went together."""

    def __init__(self) -> None:
        self.batches: list[list[Entry]] = []
        self.guilty: dict[Entry, Exception] = {}
        self.broken: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self._next = 0

    async def insert(self, batch: Sequence[Entry]) -> Sequence[int]:
        self.batches.append(list(batch))
        await self.open.wait()
        if self.broken:
            raise self.broken
        for each in batch:
            if each in self.guilty:
                raise self.guilty[each]
        count = sum(len(each.rows) for each in batch)
        self._next += count
        return range(self._next - count + 1, self._next + 1)


async def submit_all(commits: GroupCommit, entries: Sequence[Entry]) -> list[Sequence[int] | BaseException]:
    return await asyncio.gather(*(commits.submit(each) for each in entries), return_exceptions=True)


async def test_at_idle_an_append_goes_at_once_and_those_behind_it_together() -> None:
    store = Store()
    commits = GroupCommit(store.insert)
    store.open.clear()
    first, *others = entries = [entry() for _ in range(6)]
    work = asyncio.create_task(submit_all(commits, entries[:1]))
    await asyncio.sleep(0)
    later = asyncio.create_task(submit_all(commits, others))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert store.batches == [[first]]

    store.open.set()

    assert await work == [[1]]
    assert await later == [[2], [3], [4], [5], [6]]
    assert store.batches == [[first], others]


async def test_each_caller_gets_the_positions_of_its_own_events() -> None:
    commits = GroupCommit(Store().insert)
    entries = [entry(events=count) for count in (2, 1, 3)]
    assert await submit_all(commits, entries) == [[1, 2], [3], [4, 5, 6]]


async def test_only_the_guilty_fail() -> None:
    store = Store()
    commits = GroupCommit(store.insert)
    entries = [entry() for _ in range(9)]
    store.guilty = {entries[2]: VersionConflict(entries[2].aggregate_ids()), entries[7]: FutureInstant()}

    outcomes = await submit_all(commits, entries)

    for number, outcome in enumerate(outcomes):
        if number == 2:
            assert isinstance(outcome, VersionConflict)
            assert outcome.aggregate_ids == tuple(entries[2].aggregate_ids())
        elif number == 7:
            assert isinstance(outcome, FutureInstant)
        else:
            assert not isinstance(outcome, BaseException)


async def test_an_unknown_outcome_reaches_all_of_that_commit_and_nobody_else() -> None:
    store = Store()
    commits = GroupCommit(store.insert)
    store.broken = OSError("connection reset")
    outcomes = await submit_all(commits, [entry(), entry()])
    assert [type(outcome) for outcome in outcomes] == [OSError, OSError]

    store.broken = None

    assert await submit_all(commits, [entry()]) == [[1]]
    assert [len(batch) for batch in store.batches] == [2, 1]


async def test_a_caller_that_gave_up_while_waiting_is_left_out() -> None:
    store = Store()
    commits = GroupCommit(store.insert)
    store.open.clear()
    first, impatient, patient = entry(), entry(), entry()
    tasks = [asyncio.create_task(commits.submit(each)) for each in (first, impatient, patient)]
    for _ in range(3):
        await asyncio.sleep(0)
    tasks[1].cancel()
    # The first commit took all three: nothing can be taken back from it. A fourth waits for the next one.
    fourth = asyncio.create_task(commits.submit(entry()))
    await asyncio.sleep(0)
    fourth.cancel()
    store.open.set()

    outcomes = await asyncio.gather(*tasks, fourth, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [list, asyncio.CancelledError, list, asyncio.CancelledError]
    await commits.close()
    assert len(store.batches) == 1


async def test_closing_waits_for_what_was_submitted_and_refuses_the_rest() -> None:
    store = Store()
    commits = GroupCommit(store.insert)
    store.open.clear()
    under_way = asyncio.create_task(commits.submit(entry()))
    await asyncio.sleep(0)
    closing = asyncio.create_task(commits.close())
    await asyncio.sleep(0)
    assert not closing.done()

    store.open.set()
    await closing

    assert await under_way == [1]
    with pytest.raises(LogClosed):
        await commits.submit(entry())


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 300), st.sampled_from([100, 5_000, 700_000])), max_size=40))
def test_batches_keep_every_promise(wanted: list[tuple[int, int, int]]) -> None:
    asyncio.run(_batches_keep_every_promise(wanted))


async def _batches_keep_every_promise(wanted: list[tuple[int, int, int]]) -> None:
    diaries = [uuid4() for _ in range(6)]
    entries = [
        entry(diaries[diary], events=min(events, 3 if size_bytes > 100 else 300), size_bytes=size_bytes)
        for diary, events, size_bytes in wanted
    ]
    waiting, batches = deque(entries), []
    while batch := take_batch(waiting):
        batches.append(batch)

    taken = [each for batch in batches for each in batch]
    assert sorted(map(id, taken)) == sorted(map(id, entries))
    for batch in batches:
        aggregates = [each for one in batch for each in one.aggregate_ids()]
        assert len(set(aggregates)) == len(aggregates)
        if len(batch) > 1:
            assert sum(len(each.rows) for each in batch) <= LIMIT_EVENTS
            assert sum(each.size_bytes for each in batch) <= LIMIT_BYTES
    for diary in diaries:
        order = [id(each) for each in entries if each.aggregate_ids() == [diary]]
        assert [id(each) for each in taken if each.aggregate_ids() == [diary]] == order
