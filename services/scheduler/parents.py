"""Jobs that wait for the end of others: released or cancelled as soon as it is known how those ended.

Nothing is remembered but what the index says: whoever waits for a job that is not open any more finds its verdict in
the log. So it does not matter in which order the two were asked for, nor who was told of the end and died.
"""

import asyncio
from uuid import UUID

import structlog

from linstock.cancellation import cancel
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import VersionConflict
from linstock.messages.job import FollowParent
from services.scheduler.clock import PostgresClock
from services.scheduler.index import Index
from services.scheduler.job import Awaiting, Closed
from services.scheduler.known import KnownJob
from services.scheduler.verdicts import UnknownJob, Verdicts

logger = structlog.get_logger(__name__)

AGAIN_S = 0.5
AT_ONCE = 100


class Parents:
    """Any number may run: the second release of a job is nothing."""

    def __init__(self, log: EventLog, index: Index, clock: PostgresClock, verdicts: Verdicts) -> None:
        self._log = log
        self._index = index
        self._clock = clock
        self._verdicts = verdicts
        self._due: dict[UUID, None] = {}  # jobs to look at
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._index.on_job(self._note)
        for waiting in self._index.awaiting.values():
            self._due.update(waiting)
        self._wake.set()
        self._task = asyncio.create_task(self._run(), name="parents")

    async def stop(self) -> None:
        if self._task:
            await cancel(self._task)
            self._task = None

    def _note(self, job_id: UUID) -> None:
        known = self._index.jobs.get(job_id)
        due = self._index.awaiting.get(job_id, {}) if known is None else {}
        if known is not None and isinstance(known.state, Awaiting):
            due = {job_id: None}
        if due:
            self._due.update(due)
            self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._due:
                some = list(self._due)[:AT_ONCE]
                for job_id in some:
                    del self._due[job_id]
                done = await asyncio.gather(*map(self._look, some), return_exceptions=True)
                failed = dict.fromkeys(job_id for job_id, error in zip(some, done, strict=True) if error is not None)
                if failed:  # Postgres or its clock is away, most likely
                    logger.warning("Jobs that wait for others can't be released yet", jobs=len(failed))
                    self._due.update(failed)
                    await asyncio.sleep(AGAIN_S)

    async def _look(self, job_id: UUID) -> None:
        known = self._index.jobs.get(job_id)
        if known is None or not isinstance(known.state, Awaiting):
            return
        for parent in dict.fromkeys(each.job_id for each in known.state.after):
            if parent in self._index.jobs:
                continue
            ended = await KnownJob.load(self._log, parent)
            if ended is not None and isinstance(ended.state, Closed):
                await self._tell(job_id, ended, ended.state.verdict)

    async def _tell(self, job_id: UUID, parent: KnownJob, verdict: str) -> None:
        command = FollowParent(parent=parent.job_id, verdict=verdict, at=self._clock.require())
        try:
            await self._verdicts.tell(job_id, command, causation_id=parent.request_id)
        except (UnknownJob, VersionConflict):
            return  # it is looked at again when it has changed
