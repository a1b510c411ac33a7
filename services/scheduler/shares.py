"""How many orders each lane gets: what its workers can take at once, and a few more. Pure.

A worker fills its slots from its first lane, then from the second, and so on; or, with weights, from all of them in
that proportion (smooth weighted round robin). It is decided here and not by the workers, so that orders of a lane never
stand on WORK while those of a more important one wait.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from services.scheduler.signs import Crew

RESERVE = 4
"""Orders for each worker beyond its free slots, so that it finds one at once when a slot becomes free; and for a lane
that nobody serves yet."""


class Shares:
    """Remembers what each worker's weighted lanes are owed: shares even out over time, not within each look."""

    def __init__(self, *, reserve: int = RESERVE) -> None:
        self._reserve = reserve
        self._owed: dict[str, Counter[str]] = {}

    def of(self, crews: Sequence[Crew], ready: Mapping[str, int], standing: Mapping[str, int]) -> dict[str, int]:
        """By lane. `ready` is how many jobs wait, `standing` how many orders are on WORK already."""
        left, untaken = Counter(ready), Counter(standing)
        given: Counter[str] = Counter()
        rooms = [_room(crew, untaken, self._reserve) for crew in crews]
        for crew, room in zip(crews, rooms, strict=True):
            given.update(self._picked(crew, room, left))
        served = {lane for crew in crews for lane in crew.lanes}
        for lane in set(ready) - served:
            given[lane] = min(left[lane], self._reserve - untaken[lane])
        self._forget(crews)
        return {lane: count for lane, count in given.items() if count > 0}

    def _picked(self, crew: Crew, room: int, left: Counter[str]) -> Iterable[str]:
        """The lane of each order that this worker is to find. Takes them from `left`."""
        for _ in range(room):
            lane = self._next(crew, left)
            if lane is None:
                return
            left[lane] -= 1
            yield lane

    def _next(self, crew: Crew, left: Counter[str]) -> str | None:
        wanting = [lane for lane in crew.lanes if left[lane] > 0]
        if not wanting or not crew.weights:
            return wanting[0] if wanting else None
        weights = dict(zip(crew.lanes, crew.weights, strict=True))
        owed = self._owed.setdefault(crew.worker, Counter())
        for lane in wanting:
            owed[lane] += weights[lane]
        chosen = max(wanting, key=lambda lane: owed[lane])
        owed[chosen] -= sum(weights[lane] for lane in wanting)
        return chosen

    def _forget(self, crews: Sequence[Crew]) -> None:
        if len(self._owed) > 2 * len(crews) + 16:
            there = {crew.worker for crew in crews}
            self._owed = {worker: owed for worker, owed in self._owed.items() if worker in there}


def _room(crew: Crew, untaken: Counter[str], reserve: int) -> int:
    """How many more orders this worker can do with: those that stand in its lanes it will find. Takes them from
    `untaken`, so that they count for one worker only."""
    room = max(0, crew.slots - crew.running) + reserve
    for lane in crew.lanes:
        found = min(room, untaken[lane])
        untaken[lane] -= found
        room -= found
    return room
