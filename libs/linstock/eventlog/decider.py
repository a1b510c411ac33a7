"""Load, fold, decide: the shell around the three pure functions of an aggregate."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from linstock.eventlog.log import EventLog, Snapshot
from linstock.eventlog.record import Append
from linstock.messages.message import Message

S = TypeVar("S")
E = TypeVar("E", bound=Message)


class Snapshots(Struct, frozen=True, kw_only=True):
    """`shape` changes whenever the state's meaning does; then old snapshots are folded again from the events."""

    shape: str
    every: int = 100


class Aggregate(Generic[S, E]):
    """How one kind of aggregate is folded. `events` and `state` are the unions of its events and its states."""

    def __init__(
        self,
        name: str,
        *,
        initial: Callable[[], S],
        evolve: Callable[[S, E], S],
        events: object,
        state: object,
        snapshots: Snapshots | None = None,
    ) -> None:
        self.name = name
        self.initial = initial
        self.evolve = evolve
        self.snapshots = snapshots
        self._events: msgspec.json.Decoder[E] = msgspec.json.Decoder(events)
        self._state: msgspec.json.Decoder[S] = msgspec.json.Decoder(state)

    def decode(self, data: bytes | msgspec.Raw) -> E:
        return self._events.decode(data)

    def unborn(self, aggregate_id: UUID) -> "Loaded[S, E]":
        """The aggregate before its first event, without a look: the append fails if it has one."""
        return Loaded(self, aggregate_id, self.initial(), 0)

    async def load(self, log: EventLog, aggregate_id: UUID) -> "Loaded[S, E]":
        """The aggregate as it stands in the log. Reads at most `snapshots.every` events and some when snapshotted."""
        state, version, snapshotted = self.initial(), 0, 0
        if self.snapshots:
            snapshot = await log.snapshot(aggregate_id)
            if snapshot and snapshot.shape == self.snapshots.shape:
                state, version = self._state.decode(snapshot.state), snapshot.version
                snapshotted = version
        for recorded in await log.load(aggregate_id, after=version):
            state, version = self.evolve(state, self.decode(recorded.data)), recorded.version
        loaded = Loaded(self, aggregate_id, state, version)
        if self.snapshots and version - snapshotted >= self.snapshots.every:
            await log.save_snapshot(aggregate_id, loaded.to_snapshot(self.snapshots.shape))
        return loaded


class Loaded(Generic[S, E]):
    """One aggregate's state at a version: what a decision is made on, and what its append expects."""

    def __init__(self, aggregate: Aggregate[S, E], aggregate_id: UUID, state: S, version: int) -> None:
        self.aggregate = aggregate
        self.aggregate_id = aggregate_id
        self.state = state
        self.version = version

    def append(self, events: Sequence[E]) -> Append:
        return Append(
            aggregate=self.aggregate.name,
            aggregate_id=self.aggregate_id,
            expected_version=self.version,
            events=events,
        )

    def after(self, events: Sequence[E]) -> "Loaded[S, E]":
        """What it becomes once `events` are appended."""
        state = self.state
        for event in events:
            state = self.aggregate.evolve(state, event)
        return Loaded(self.aggregate, self.aggregate_id, state, self.version + len(events))

    def to_snapshot(self, shape: str) -> Snapshot:
        return Snapshot(version=self.version, shape=shape, state=msgspec.json.encode(self.state))
