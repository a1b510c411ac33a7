"""Where replicas live: one log, Postgres's clock and whoever sets it, and the jobs that ticks ask for."""

import asyncio
import bisect
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from msgspec import Raw
from msgspec.structs import replace

from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Append, Origin, Recorded, VersionConflict
from linstock.messages.job import JobFailed, JobSucceeded, ScanRequested
from services.scheduler.job import Closed
from services.scheduler.known import KnownJob

WORKSPACE = "default"


class Steps:
    """What is set now and then and stays: `at` says what it was at any moment."""

    def __init__(self) -> None:
        self.moments_s = [float("-inf")]
        self.values_s = [0.0]

    def add(self, at_s: float, by_s: float) -> None:
        self.moments_s.append(at_s)
        self.values_s.append(self.values_s[-1] + by_s)

    def at(self, moment_s: float) -> float:
        return self.values_s[bisect.bisect_right(self.moments_s, moment_s) - 1]


class World:
    """`checked` False: a log that appends whatever version is expected. Times in seconds since the start are real."""

    def __init__(self, start: datetime, seed: int, *, checked: bool = True) -> None:
        self.start = start
        self.checked = checked
        self.chance = random.Random(f"{seed} world")
        self.steps = Steps()
        self.log = WorldLog(self)
        self.busy_until_s: dict[UUID, float] = {}
        self.failing_until_s: dict[UUID, float] = {}
        self.unknown = 0
        """Appends that were done, and whoever asked for them never heard of it."""
        self._work: set[asyncio.Task[None]] = set()

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def postgres_at(self, moment_s: float) -> datetime:
        return self.start + timedelta(seconds=moment_s + self.steps.at(moment_s))

    def reached_s(self, instant: datetime, after_s: float) -> float:
        """When Postgres's clock showed `instant`, or later, for the first time since `after_s`."""
        wanted_s = (instant - self.start).total_seconds()
        for number, (since_s, by_s) in enumerate(zip(self.steps.moments_s, self.steps.values_s, strict=True)):
            following_s = self.steps.moments_s[number + 1] if number + 1 < len(self.steps.moments_s) else float("inf")
            if (reached_s := max(after_s, since_s, wanted_s - by_s)) < following_s:
                return reached_s
        raise AssertionError("time never ends")

    def ask_for(self, scan: ScanRequested) -> None:
        """Somebody works for it: mostly for seconds, in busy stretches until they are over."""
        library_id = scan.target.library_id
        work_s = max(self.chance.expovariate(1 / 10), self.busy_until_s.get(library_id, 0.0) - self.now_s)
        task = asyncio.create_task(self._work_for(scan.job_id, library_id, work_s))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _work_for(self, job_id: UUID, library_id: UUID, work_s: float) -> None:
        await asyncio.sleep(work_s)
        known = await KnownJob.load(self.log, job_id)
        if known is None or isinstance(known.state, Closed):
            return
        at = self.postgres_at(self.now_s)
        if self.now_s < self.failing_until_s.get(library_id, 0.0):
            ended: JobFailed | JobSucceeded = JobFailed(job_id=job_id, attempt=1, at=at, code="broken", message="")
        else:
            ended = JobSucceeded(job_id=job_id, attempt=1, at=at, result=Raw(b"{}"))
        origin = Origin(workspace=WORKSPACE, actor="worker", at=at, correlation_id=uuid4())
        try:
            await self.log.append([known.append([ended])], origin)
        except VersionConflict:
            return  # cancelled a moment ago


class WorldLog(MemoryLog):
    """Notes when everything was really appended, and with what together."""

    def __init__(self, world: World) -> None:
        super().__init__("scheduler", clock=lambda: world.postgres_at(world.now_s))
        self._world = world
        self.appended_s: list[float] = []
        self.batches: list[int] = []

    async def append(
        self, appends: Sequence[Append], origin: Origin, *, not_before: datetime | None = None
    ) -> tuple[Recorded, ...]:
        recorded = await self._append(appends, origin, not_before)
        self.appended_s += [self._world.now_s] * len(recorded)
        self.batches += [len(self.batches)] * len(recorded)
        for each in recorded:
            if each.type == "linstock.scan.requested.v1":
                [request] = [event for append in appends for event in append.events if _asks(event, each.aggregate_id)]
                assert isinstance(request, ScanRequested)
                self._world.ask_for(request)
        return recorded

    async def _append(
        self, appends: Sequence[Append], origin: Origin, not_before: datetime | None
    ) -> tuple[Recorded, ...]:
        while True:
            try:
                return await super().append(appends, origin, not_before=not_before)
            except VersionConflict:
                if self._world.checked:
                    raise
            appends = [replace(each, expected_version=len(await self.load(each.aggregate_id))) for each in appends]


def _asks(event: object, job_id: UUID) -> bool:
    return isinstance(event, ScanRequested) and event.job_id == job_id
