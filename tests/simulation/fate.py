"""What happens to replicas, clocks and jobs in a year."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from services.scheduler import timing
from services.scheduler.schedule import Existing
from tests.simulation.people import People
from tests.simulation.replica import Replica, Rows
from tests.simulation.world import World

DAY_S = 86_400.0
SLOTS = 3
LEASE_S = 3.0
RECOVERS_S = 6.0  # a replica, once Postgres is back: clock, tail and ticker ask again within a second each


@dataclass
class Slot:
    """A place where one replica after another runs. `watching_s`: stretches in which it could do its work, as
    (since, until) in seconds; the last one may be open."""

    number: int
    replica: Replica | None = None
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    left_s: float = 0.0
    alone: bool = False  # it believes that all partitions are its own
    watching_s: list[list[float]] = field(default_factory=list)
    disturbed_until_s: float = 0.0


class Fate:
    """Everything at random, from one seed."""

    def __init__(self, world: World, people: People, seed: int, days: int, *, trusting: bool) -> None:
        self.world = world
        self._people = people
        self.slots = [Slot(number) for number in range(SLOTS)]
        self.happened: dict[str, int] = {}
        self._seed = seed
        self._days = days
        self._trusting = trusting
        self._rows = Rows()
        self._chance = random.Random(f"{seed} fate")
        self._born = 0
        self._calm = False
        self._closed_until_s = 0.0  # no replica anywhere

    async def run(self) -> None:
        """Returns after `days`; in the last day nothing more goes wrong."""
        acts: list[tuple[float, Callable[[], Awaitable[None]]]] = [
            (0.04, self._everybody_gone), (0.3, self._cut_off), (0.4, self._blind), (0.15, self._set_clock),
            (1.0, self._lose_count), (4.0, self._somebody_edits), (0.5, self._busy), (0.3, self._fail),
        ]  # fmt: skip
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(self._live(slot)) for slot in self.slots]
            running += [group.create_task(self._again(act, per_day)) for per_day, act in acts]
            await asyncio.sleep((self._days - 1) * DAY_S)
            for task in running[len(self.slots) :]:
                task.cancel()
            self._calm = True
            await asyncio.sleep(DAY_S)
            for task in running:
                task.cancel()
        for slot in self.slots:
            self._kill(slot)

    async def _again(self, act: Callable[[], Awaitable[None]], per_day: float) -> None:
        while True:
            await asyncio.sleep(self._chance.expovariate(per_day / DAY_S))
            self._note(act.__name__.strip("_").replace("_", " "))
            await act()

    def _note(self, what: str) -> None:
        self.happened[what] = self.happened.get(what, 0) + 1

    async def _live(self, slot: Slot) -> None:
        """Die and be started again, for ever."""
        while True:
            await asyncio.sleep(max(0.0, self._closed_until_s - self.world.now_s))
            if not await self._start(slot):
                continue
            lives_s = self._days * DAY_S if self._calm else self._chance.expovariate(1 / (2 * DAY_S))
            try:
                async with asyncio.timeout(lives_s):
                    await slot.gone.wait()
            except TimeoutError:
                self._kill(slot)
            down_s = self._chance.choice((1.0, 20.0, 20.0, 600.0, 7200.0, 86_400.0))
            await asyncio.sleep(1.0 if self._calm else self._chance.uniform(0.5, 1.0) * down_s)

    async def _start(self, slot: Slot) -> bool:
        self._born += 1
        slot.alone = self._chance.random() < 0.3
        replica = Replica(
            self.world, self._rows, f"{self._seed} {self._born}", holds=lambda each: self._holds(slot, each),
            on_crash=lambda: self._crashed(slot), trusting=self._trusting,
        )  # fmt: skip
        slot.replica = replica
        slot.gone.clear()
        await replica.start()
        if slot.replica is not replica:  # crashed already
            return False
        slot.disturbed_until_s = 0.0
        slot.watching_s.append([self.world.now_s + LEASE_S, float("inf")])
        return True

    def _holds(self, slot: Slot, schedule_id: UUID) -> bool:
        """Leases as they would be: what a dead one held goes to the next three seconds later."""
        here_s = self.world.now_s
        live = [each for each in self.slots if each.replica is not None or here_s - each.left_s < LEASE_S]
        return slot.alone or (bool(live) and live[schedule_id.int % len(live)] is slot)

    def _kill(self, slot: Slot) -> None:
        if slot.replica is not None:
            slot.replica.kill()
            self._crashed(slot)

    def _crashed(self, slot: Slot) -> None:
        self._note("kills")
        slot.replica, slot.left_s = None, self.world.now_s
        slot.gone.set()
        self._stop_watching(slot)

    def _stop_watching(self, slot: Slot) -> None:
        if slot.watching_s and slot.watching_s[-1][1] == float("inf"):
            slot.watching_s[-1][1] = self.world.now_s

    def _watch_again(self, slot: Slot, replica: Replica) -> None:
        if slot.replica is replica:
            replica.look()
            if self.world.now_s >= slot.disturbed_until_s and slot.watching_s[-1][1] < float("inf"):
                slot.watching_s.append([self.world.now_s, float("inf")])

    async def _everybody_gone(self) -> None:
        self._closed_until_s = self.world.now_s + self._chance.choice((60.0, 3600.0, 40_000.0, 200_000.0))
        for slot in self.slots:
            self._kill(slot)

    async def _cut_off(self) -> None:
        """Postgres is away: for one, or for all."""
        lasts_s = self._chance.choice((1.0, 5.0, 60.0, 600.0))
        for slot in self.slots if self._chance.random() < 0.5 else [self._chance.choice(self.slots)]:
            if (replica := slot.replica) is not None and replica.connection.away_s[1] < self.world.now_s:
                replica.connection.away_s = self.world.now_s, self.world.now_s + lasts_s
                self._disturb(slot, replica, lasts_s)

    async def _blind(self) -> None:
        """It hears nothing of what others append."""
        slot = self._chance.choice(self.slots)
        if slot.replica is not None:
            lasts_s = self._chance.choice((2.0, 60.0, 7200.0))
            slot.replica.connection.blind_until_s = self.world.now_s + lasts_s
            self._disturb(slot, slot.replica, lasts_s)

    def _disturb(self, slot: Slot, replica: Replica, lasts_s: float) -> None:
        self._stop_watching(slot)
        slot.disturbed_until_s = max(slot.disturbed_until_s, self.world.now_s + lasts_s + RECOVERS_S)
        asyncio.get_running_loop().call_later(lasts_s + RECOVERS_S + 0.1, self._watch_again, slot, replica)

    async def _set_clock(self) -> None:
        """Postgres's: off by up to three hours; some time later it is right again."""
        off_s = self.world.steps.at(self.world.now_s)
        by_s = -off_s if off_s else self._chance.choice((-1, 1)) * self._chance.choice((0.8, 5.0, 90.0, 10_000.0))
        await self._before_an_instant(self._chance.uniform(-1, max(2.0, abs(by_s))))
        self.world.steps.add(self.world.now_s, by_s)
        self._noticed_within_a_second()
        await self._somebody_edits()
        if not off_s:
            await asyncio.sleep(self._chance.uniform(3, 20_000))
            self.world.steps.add(self.world.now_s, -by_s)
            self._noticed_within_a_second()

    async def _lose_count(self) -> None:
        """A replica's own counting of seconds jumps, shortly before something is due."""
        slot = self._chance.choice(self.slots)
        await self._before_an_instant(self._chance.uniform(0, 1))
        if slot.replica is not None:
            slot.replica.clock.skew.add(self.world.now_s, self._chance.choice((-40.0, 0.5, 5.0, 40.0, 100_000.0)))
            self._noticed_within_a_second()
            await self._people.edit(slot.replica)

    def _noticed_within_a_second(self) -> None:
        for slot in self.slots:
            if slot.replica is not None:
                for later_s in (0.0, self._chance.random(), 1.05):
                    asyncio.get_running_loop().call_later(later_s, slot.replica.look)

    async def _before_an_instant(self, by_s: float) -> None:
        """Within the next days, `by_s` before a schedule ticks."""
        known = [each for slot in self.slots if slot.replica for each in slot.replica.known()]
        if not known:
            return
        each = self._chance.choice(known)
        due = timing.upcoming(each.state, each.failures)
        if due is not None:
            wait_s = (due - self.world.postgres_at(self.world.now_s)).total_seconds() - by_s
            if wait_s < 5 * DAY_S:
                await asyncio.sleep(max(0.0, wait_s))

    async def _somebody_edits(self) -> None:
        await self._people.edit(self._chance.choice(self.slots).replica)

    async def _busy(self) -> None:
        """All libraries, or those of a third, take hours."""
        until_s = self.world.now_s + self._chance.choice((600.0, 20_000.0, 200_000.0))
        third = self._chance.randrange(4)
        for library_id in self._libraries():
            if third == 3 or library_id.int % 3 == third:
                self.world.busy_until_s[library_id] = until_s

    async def _fail(self) -> None:
        third = self._chance.randrange(3)
        for library_id in self._libraries():
            if library_id.int % 3 == third:
                self.world.failing_until_s[library_id] = self.world.now_s + 10 * DAY_S

    def _libraries(self) -> list[UUID]:
        known = next((slot.replica.known() for slot in self.slots if slot.replica), [])
        return sorted({each.state.target.library_id for each in known if isinstance(each.state, Existing)})
