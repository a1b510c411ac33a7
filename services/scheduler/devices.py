"""Which jobs run on which device, and which wait for it. Pure."""

from datetime import datetime
from uuid import UUID

from services.scheduler.job import Facts, Job, Pending, Running, Unrequested

Rank = tuple[int, datetime, UUID]


class Devices:
    """The more urgent one first, then the one that was asked for first."""

    def __init__(self) -> None:
        self._running: dict[str, set[UUID]] = {}
        self._waiting: dict[str, dict[UUID, Rank]] = {}
        self._device_of: dict[UUID, str] = {}

    def place(self, job: Job) -> None:
        """As the job is now; it may be known as something else."""
        if isinstance(job, Unrequested):
            return
        job_id = job.facts.job_id
        if before := self._device_of.pop(job_id, ""):
            self._running.get(before, set()).discard(job_id)
            self._waiting.get(before, {}).pop(job_id, None)
        if isinstance(job, Running) and job.device:
            self._running.setdefault(job.device, set()).add(job_id)
            self._device_of[job_id] = job.device
        elif isinstance(job, Pending) and job.device:
            self._waiting.setdefault(job.device, {})[job_id] = _rank(job.facts)
            self._device_of[job_id] = job.device

    def has_room(self, job: Facts, device: str, limit: int) -> bool:
        """Whether one more may run there, and none that waits for it comes before this one."""
        running = len(self._running.get(device, set()) - {job.job_id})
        mine = _rank(job)
        return running + sum(rank < mine for rank in self._waiting.get(device, {}).values()) < limit

    def moved(self, before: Job | None, now: Job) -> list[UUID]:
        """Those that may have their turn because a job is not any more what it was."""
        device = before.device if isinstance(before, Running | Pending) else ""
        stays = isinstance(now, Running | Pending) and now.device == device and type(now) is type(before)
        return [] if stays or not device else list(self._waiting.get(device, {}))


def _rank(facts: Facts) -> Rank:
    return -facts.policy.priority, facts.requested_at, facts.job_id
