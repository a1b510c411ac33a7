"""Asks for the scan that hints lead to, once they are quiet and no scan of the library is open.

Any number of replicas may try: the job's id follows from the hints' version, and the append that asks for the scan
takes the hints at that version. So one scan comes of them, and a hint that arrives just then belongs to it or stays.
"""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from linstock import names
from linstock.cancellation import cancel
from linstock.crashpoints import reach
from linstock.disk import Disk
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Append, FutureInstant, Origin, VersionConflict
from linstock.messages.job import ScanRequested
from linstock.outage import plain
from services.scheduler import hints, job
from services.scheduler.clock import PostgresClock
from services.scheduler.hints import Hinted, Patience, TakeHints
from services.scheduler.index import Index
from services.scheduler.known import JOB, SCHEDULE, KnownHints
from services.scheduler.schedule import Deleted, Existing

logger = structlog.get_logger(__name__)

ACTOR = "scheduler"
LONGEST_SLEEP_S = 1.0
SHORTEST_SLEEP_S = 0.01
AFTER_ERROR_S = 0.5
CATCH_UP_S = 2.0


class Hinting:
    """Starts and stops with the service."""

    def __init__(
        self,
        log: EventLog,
        index: Index,
        clock: PostgresClock,
        *,
        disk: Disk | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._log = log
        self._index = index
        self._clock = clock
        self._disk = disk or Disk(None)
        self._patience = patience or Patience()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._index.on_hints(self._look)
        self._index.on_job(self._look)
        self._task = asyncio.create_task(self._run(), name="hinting")

    async def stop(self) -> None:
        if self._task:
            await cancel(self._task)
            self._task = None

    def _look(self, _: UUID) -> None:
        """There is a new hint, or a scan has ended."""
        if self._index.hints:
            self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            now = None if self._disk.full() else self._clock.now()
            try:
                if now is not None:
                    for known in self._due(now):
                        await self._take(known, now)
            except (VersionConflict, FutureInstant):
                await asyncio.sleep(SHORTEST_SLEEP_S)  # another replica, or another hint, was first
                continue
            except Exception as error:  # Postgres is away: they are in the log, and wait
                logger.warning("A hinted scan can't be asked for", reason=plain(error))
                await asyncio.sleep(AFTER_ERROR_S)
            try:
                async with asyncio.timeout(self._sleep_s(now)):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _due(self, now: datetime) -> list[KnownHints]:
        return [known for known in self._free() if _when(known, self._patience) <= now]

    def _free(self) -> list[KnownHints]:
        return [known for known in self._index.hints.values() if not self._index.open_jobs_of(known.library_id)]

    def _sleep_s(self, now: datetime | None) -> float:
        if now is None:
            return LONGEST_SLEEP_S
        first = min((_when(known, self._patience) for known in self._free()), default=now + timedelta(seconds=9))
        return min(max((first - now).total_seconds(), SHORTEST_SLEEP_S), LONGEST_SLEEP_S)

    async def _take(self, known: KnownHints, now: datetime) -> None:
        """Raises VersionConflict when they are others by now, and what the log raises."""
        hinted = known.state
        assert isinstance(hinted, Hinted)
        library_id = hinted.library_id
        job_id = names.job_of_hints(library_id, known.version)
        request = await self._request(hinted, job_id, now)
        events = hints.decide(TakeHints(job_id=job_id if request else None, at=now), hinted)
        appends = [known.append(events)]
        if request:
            # The job first: whoever has seen the hints taken has seen what became of them.
            asked = Append(aggregate=JOB.name, aggregate_id=job_id, expected_version=0, events=[request])
            appends.insert(0, asked)
        origin = Origin(workspace=known.workspace, actor=ACTOR, at=now, correlation_id=job_id)
        recorded = await self._log.append(appends, origin, not_before=hinted.due(self._patience))
        reach("after_hints_append")
        await self._index.reached(recorded[-1].position, timeout_s=CATCH_UP_S)

    async def _request(self, hinted: Hinted, job_id: UUID, now: datetime) -> ScanRequested | None:
        """None: the library is gone."""
        state = (await SCHEDULE.load(self._log, names.schedule_of(hinted.library_id))).state
        live = state.last if isinstance(state, Deleted) else state
        if not isinstance(live, Existing):
            return None
        return ScanRequested(
            job_id=job_id,
            schedule_id=live.schedule_id,
            instant=None,
            triggered_by=job.HINT,
            target=live.target,
            policy=live.policy,
            requested_at=now,
            include_subfolders=live.target.include_subfolders,
            waits=True,  # somebody may ask for another one at this very moment
            scope=hinted.paths,
        )


def _when(known: KnownHints, patience: Patience) -> datetime:
    assert isinstance(known.state, Hinted)
    return known.state.due(patience)
