"""One replica: the real clock, tail, index and ticker, and what stands between them and the world."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from linstock.eventlog.record import Append, Origin, Recorded
from services.scheduler.clock import STALE_AFTER_S, PostgresClock
from services.scheduler.index import Index, further_of
from services.scheduler.index_table import Snapshot
from services.scheduler.known import KnownJob, KnownSchedule
from services.scheduler.shelf import pack, unpack
from services.scheduler.tail import Tail
from services.scheduler.ticker import PATIENCE, Ticker
from tests.simulation.world import Steps, World

ROUND_TRIP_S = 0.02
CRASHES, LOSES = 0.008, 0.008  # of all appends: as often before they are done as after
TZDATA = "simulated"


class Connection:
    """The world's log as one replica reaches it: over a wire, not always, and perhaps never again."""

    def __init__(self, world: World, chance: random.Random, crash: Callable[[], None], *, trusting: bool) -> None:
        self._world = world
        self._chance = chance
        self._crash = crash
        self._trusting = trusting
        self.away_s = (float("-inf"), float("-inf"))
        self.blind_until_s = 0.0

    async def append(
        self, appends: Sequence[Append], origin: Origin, *, not_before: datetime | None = None
    ) -> tuple[Recorded, ...]:
        fate = self._chance.random()
        await self._travel()
        self._suffer(fate)
        recorded = await self._world.log.append(appends, origin, not_before=None if self._trusting else not_before)
        if 1 - fate < CRASHES + LOSES:
            self._world.unknown += 1
        self._suffer(1 - fate)
        await self._travel()
        return recorded

    async def read(self, after: int, *, limit: int = 500) -> list[Recorded]:
        while (dark_s := self.blind_until_s - self._world.now_s) > 0:
            await asyncio.sleep(dark_s)
        self._reach()
        return await self._world.log.read(after, limit=limit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.log, name)

    async def _travel(self) -> None:
        self._reach()
        await asyncio.sleep(self._chance.uniform(0, ROUND_TRIP_S))
        self._reach()

    def _reach(self) -> None:
        since_s, until_s = self.away_s
        if since_s <= self._world.now_s < until_s:
            raise ConnectionError("Postgres is away")

    def _suffer(self, fate: float) -> None:
        if fate < CRASHES:
            self._crash()  # whoever called is cancelled
            raise ConnectionError("crashed")
        if fate < CRASHES + LOSES:
            raise ConnectionError("the connection was lost, and nobody knows what became of it")


class SecondlyClock(PostgresClock):
    """Measures every second as the real one does, but no sooner than somebody asks for the time: what it would have
    measured in between nobody saw."""

    def __init__(self, world: World, connection: Connection, phase_s: float) -> None:
        super().__init__(self._ask, monotonic=self._count)
        self._world = world
        self._connection = connection
        self._phase_s = phase_s
        self._at_s: float | None = None  # while measuring
        self.skew = Steps()
        """What goes wrong with its own counting of seconds."""

    def now(self) -> datetime | None:
        self._catch_up()
        return super().now()

    def _catch_up(self) -> None:
        at_s = (self._world.now_s - self._phase_s) // 1 + self._phase_s
        since_s, until_s = self._connection.away_s
        if since_s <= at_s < until_s:
            at_s = (since_s - self._phase_s) // 1 + self._phase_s
        if at_s < self._world.now_s - 2 * STALE_AFTER_S:
            return
        self._at_s = at_s
        with suppress(StopIteration):
            self.measure().send(None)  # it waits for nothing
        self._at_s = None

    def _count(self) -> float:
        here_s = self._world.now_s if self._at_s is None else self._at_s
        return here_s + self.skew.at(here_s)

    async def _ask(self) -> datetime:
        assert self._at_s is not None
        return self._world.postgres_at(self._at_s)


class WallClock(PostgresClock):
    """For the control: the time of the machine, whatever that is."""

    def __init__(self, world: World, wrong_by: timedelta) -> None:
        super().__init__(self._never)
        self._world = world
        self._wrong_by = wrong_by
        self.skew = Steps()

    def now(self) -> datetime:
        return self._world.start + timedelta(seconds=self._world.now_s) + self._wrong_by

    async def _never(self) -> datetime:
        raise AssertionError("nobody asks Postgres")


class Rows:
    """The stored index, for all replicas: only a later one replaces what is there."""

    def __init__(self) -> None:
        self._position = 0
        self._decided: datetime | None = None
        self._schedules: dict[UUID, tuple[KnownSchedule, datetime | None]] = {}
        self._jobs: dict[UUID, KnownJob] = {}

    async def load(self, index: Index) -> None:
        index.restore(self._position, self._decided, list(self._jobs.values()))
        for known, due in self._schedules.values():
            index.shelve(known.schedule_id, pack(known), due, further_of(known))

    async def save(self, snapshot: Snapshot) -> None:
        if snapshot.position < self._position:
            return
        self._position, self._decided = snapshot.position, snapshot.decided
        for schedule_id, kept, due in snapshot.schedules:
            self._schedules[schedule_id] = (unpack(kept) if isinstance(kept, bytes) else kept, due)
        self._jobs |= {known.job_id: known for known in snapshot.opened}
        for job_id in snapshot.closed:
            self._jobs.pop(job_id, None)


class Replica:
    """`holds` says whether a schedule is in this replica's leases. Killed, it is gone in the middle of whatever it was
    doing."""

    def __init__(
        self, world: World, rows: Rows, seed: str, *, holds: Callable[[UUID], bool], on_crash: Callable[[], None],
        trusting: bool = False,
    ) -> None:  # fmt: skip
        chance = random.Random(seed)
        self._holds = holds
        self._on_crash = on_crash
        self.connection = Connection(world, chance, self._crash, trusting=trusting)
        wrong_by = timedelta(seconds=chance.choice((0, 3600, -86_400, 86_400, 3)))
        self.clock: Any = (
            WallClock(world, wrong_by) if trusting else SecondlyClock(world, self.connection, chance.random())
        )
        self.index = Index()
        log: Any = self.connection
        table: Any = rows
        self._tail = Tail(log, self.index, table, save_every_s=0.0)
        self.ticker = Ticker(log, self.index, self.clock, mine=self._mine, tzdata=TZDATA)

    async def start(self) -> None:
        await self._tail.start()
        await self.ticker.start()

    def look(self) -> None:
        """What the ticker would notice within a second by looking every second."""
        self.ticker.look()

    def kill(self) -> None:
        for task in (self.ticker._task, self._tail._task, *self.ticker._firing):
            if task is not None:
                task.cancel()

    def known(self) -> list[KnownSchedule]:
        return list(self.index.schedules.values())

    def _mine(self, schedule_id: UUID) -> bool:
        held = self._holds(schedule_id)
        if not held:
            later_s = PATIENCE.total_seconds()
            asyncio.get_running_loop().call_later(later_s + 0.1, self.ticker.look)
        return held

    def _crash(self) -> None:
        self.kill()
        self._on_crash()
