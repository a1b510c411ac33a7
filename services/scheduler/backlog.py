"""Jobs that wait for a worker, in the order in which they should get one. Pure.

Higher priority first, then the one that was asked for first. What is not due yet waits aside.
"""

import heapq
from datetime import datetime
from uuid import UUID

from services.scheduler.job import Pending

Rank = tuple[int, datetime, UUID]


class Backlog:
    """Entries that no longer hold stay in the heaps until they surface."""

    def __init__(self) -> None:
        self._pending: dict[UUID, Pending] = {}
        self._later: list[tuple[datetime, UUID, int]] = []
        self._ready: dict[str, list[tuple[Rank, int]]] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def put(self, job_id: UUID, pending: Pending) -> None:
        """It waits, for this attempt. Putting it again puts it back when it was taken."""
        self._pending[job_id] = pending
        heapq.heappush(self._later, (pending.due, job_id, pending.attempt))

    def drop(self, job_id: UUID) -> None:
        self._pending.pop(job_id, None)

    def queues(self, now: datetime) -> list[str]:
        """Those for which something is due."""
        while self._later and self._later[0][0] <= now:
            _, job_id, attempt = heapq.heappop(self._later)
            pending = self._pending.get(job_id)
            if pending and pending.attempt == attempt:
                rank = (-pending.facts.policy.priority, pending.facts.requested_at, job_id)
                heapq.heappush(self._ready.setdefault(pending.facts.queue, []), (rank, attempt))
        return [queue for queue, ready in self._ready.items() if ready]

    def take(self, queue: str, count: int) -> list[tuple[UUID, Pending]]:
        """The first `count` that are due, as of the last `queues`; they no longer wait here."""
        taken: list[tuple[UUID, Pending]] = []
        ready = self._ready.get(queue, [])
        while ready and len(taken) < count:
            (_, _, job_id), attempt = heapq.heappop(ready)
            pending = self._pending.get(job_id)
            if pending and pending.attempt == attempt:
                del self._pending[job_id]
                taken.append((job_id, pending))
        if not ready:
            self._ready.pop(queue, None)
        return taken

    def next_due(self) -> datetime | None:
        """When something that is not due yet may become so."""
        return self._later[0][0] if self._later else None
