"""Loading an aggregate: folded from events, from a snapshot and the rest, or unborn."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from linstock.eventlog.decider import Aggregate, Snapshots
from linstock.eventlog.log import Snapshot
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Origin, Recorded, VersionConflict
from linstock.messages.message import Message

ID = UUID(int=1)
ORIGIN = Origin(workspace="default", actor="a", at=datetime(2026, 1, 1, tzinfo=UTC), correlation_id=ID)


class Added(Message, frozen=True, tag="linstock.sum.added.v1"):
    by: int


class Total(Message, frozen=True, tag="total"):
    value: int = 0


def total(shape: str = "total.v1") -> Aggregate[Total, Added]:
    return Aggregate(
        "sum",
        initial=Total,
        evolve=lambda state, event: Total(value=state.value + event.by),
        events=Added,
        state=Total,
        snapshots=Snapshots(shape=shape, every=10),
    )


class CountingLog(MemoryLog):
    reads = 0

    async def load(self, aggregate_id: UUID, *, after: int = 0) -> list[Recorded]:
        events = await super().load(aggregate_id, after=after)
        self.reads += len(events)
        return events


async def log_of(count: int) -> CountingLog:
    log = CountingLog("test")
    loaded = total().unborn(ID)
    for _ in range(count):
        await log.append([loaded.append([Added(by=2)])], ORIGIN)
        loaded = loaded.after([Added(by=2)])
    return log


async def test_a_long_history_is_read_once_and_then_from_its_snapshot() -> None:
    log = await log_of(25)
    first = await total().load(log, ID)
    assert (first.state.value, first.version, log.reads) == (50, 25, 25)
    again = await total().load(log, ID)
    assert (again.state, again.version, log.reads) == (first.state, 25, 25)


async def test_a_short_history_leaves_no_snapshot() -> None:
    log = await log_of(9)
    await total().load(log, ID)
    assert await log.snapshot(ID) is None


async def test_a_snapshot_of_another_shape_is_folded_again_and_never_decoded() -> None:
    log = await log_of(12)
    await log.save_snapshot(ID, Snapshot(version=12, shape="total.v0", state=b"not even JSON"))
    assert (await total().load(log, ID)).state.value == 24


async def test_an_aggregate_taken_for_unborn_that_lives_is_refused_at_the_append() -> None:
    log = await log_of(1)
    with pytest.raises(VersionConflict):
        await log.append([total().unborn(ID).append([Added(by=1)])], ORIGIN)
