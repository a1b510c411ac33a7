"""Jobs that wait for a worker, lane by lane (`names.lane`), in the order in which they should get one. Pure.

Higher priority first, then the one that was asked for first; but what waits grows more urgent: `AGEING_S` of waiting
are worth one step of priority. What is not due yet waits aside.
"""

import heapq
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from services.scheduler.job import Facts, Pending

AGEING_S = 60

Rank = tuple[datetime, int, UUID]


class Waiting(Struct, frozen=True, gc=False):
    lane: str
    pending: Pending


class Backlog:
    """Entries that no longer hold stay in the heaps until they surface."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, Waiting] = {}
        self._later: list[tuple[datetime, UUID, int]] = []
        self._ready: dict[str, list[tuple[Rank, int]]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, job_id: UUID, lane: str, pending: Pending) -> None:
        """It waits, for this attempt. Putting it again puts it back when it was taken."""
        self._waiting[job_id] = Waiting(lane, pending)
        heapq.heappush(self._later, (pending.due, job_id, pending.attempt))

    def drop(self, job_id: UUID) -> None:
        self._waiting.pop(job_id, None)

    def ready(self, now: datetime) -> dict[str, int]:
        """Lanes in which something is due, and about how much."""
        while self._later and self._later[0][0] <= now:
            _, job_id, attempt = heapq.heappop(self._later)
            waiting = self._waiting.get(job_id)
            if waiting and waiting.pending.attempt == attempt:
                rank = ranked(waiting.pending.facts)
                heapq.heappush(self._ready.setdefault(waiting.lane, []), (rank, attempt))
        return {lane: len(ready) for lane, ready in self._ready.items()}

    def take(self, lane: str, count: int) -> list[tuple[UUID, Pending]]:
        """The first `count` that are due, as of the last `ready`; they no longer wait here."""
        taken: list[tuple[UUID, Pending]] = []
        ready = self._ready.get(lane, [])
        while ready and len(taken) < count:
            (_, _, job_id), attempt = heapq.heappop(ready)
            waiting = self._waiting.get(job_id)
            if waiting and waiting.pending.attempt == attempt:
                del self._waiting[job_id]
                taken.append((job_id, waiting.pending))
        if not ready:
            self._ready.pop(lane, None)
        return taken

    def next_due(self) -> datetime | None:
        """When something that is not due yet may become so."""
        return self._later[0][0] if self._later else None


def ranked(facts: Facts) -> Rank:
    """It stays the same while the job waits, so nothing has to be sorted again: of two jobs one step apart the less
    urgent one comes first if it was asked for more than `AGEING_S` earlier."""
    aged = facts.requested_at - timedelta(seconds=AGEING_S * facts.policy.priority)
    return aged, -facts.policy.priority, facts.job_id
