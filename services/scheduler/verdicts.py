"""Tells a job something: decide, append, and again on what the log says when somebody was faster."""

from functools import reduce
from uuid import UUID

from linstock.eventlog.log import EventLog
from linstock.eventlog.record import VersionConflict
from linstock.messages.job import JobCommand
from services.scheduler import job
from services.scheduler.index import Index
from services.scheduler.job import ClaimRefused
from services.scheduler.known import KnownJob

TRIES = 20
ACTOR = "scheduler"
MOST_FRESH = 10_000


class UnknownJob(Exception):
    """There is no such job in this log."""

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"{self.__doc__} {job_id}")
        self.job_id = job_id


class Verdicts:
    """The one way to change a job. What is in memory is tried first, because it costs nothing; only the log may say no.
    What we appended ourselves we know before the index does."""

    def __init__(self, log: EventLog, index: Index) -> None:
        self._log = log
        self._index = index
        self._fresh: dict[UUID, KnownJob] = {}
        index.on_job(self._seen)

    async def tell(
        self, job_id: UUID, command: JobCommand, *, actor: str = ACTOR, causation_id: UUID | None = None
    ) -> KnownJob:
        """The job as it is afterwards, in the log. Appends nothing when the job has heard it already.

        Raises ClaimRefused (StartAttempt only), UnknownJob, VersionConflict after twenty defeats in a row, and what
        Postgres raises: then the outcome is unknown, and telling it again is harmless.
        """
        known = self._fresh.get(job_id) or self._index.jobs.get(job_id)
        if known and (told := await self._try(known, command, actor, causation_id)):
            return told
        for _ in range(TRIES):
            known = await KnownJob.load(self._log, job_id)
            if known is None:
                raise UnknownJob(job_id)
            if not job.decide(command, known.state):
                return known
            if told := await self._try(known, command, actor, causation_id):
                return told
        raise VersionConflict([job_id])

    async def _try(
        self, known: KnownJob, command: JobCommand, actor: str, causation_id: UUID | None
    ) -> KnownJob | None:
        """None when what we know was too old to decide on, or nothing came of it."""
        try:
            events = job.decide(command, known.state)
        except ClaimRefused:
            return None
        if not events:
            return None
        origin = known.origin(actor=actor, at=command.at, causation_id=causation_id)
        try:
            recorded = await self._log.append([known.append(events)], origin)
        except VersionConflict:
            return None
        told = reduce(KnownJob.fold, recorded, known)
        self._keep(told)
        return told

    def _keep(self, told: KnownJob) -> None:
        indexed = self._index.jobs.get(told.job_id)
        if indexed is None or indexed.version < told.version:
            if len(self._fresh) >= MOST_FRESH:
                self._fresh.clear()
            self._fresh[told.job_id] = told

    def _seen(self, job_id: UUID) -> None:
        """The index has caught up, or somebody else was faster."""
        fresh = self._fresh.get(job_id)
        indexed = self._index.jobs.get(job_id)
        if fresh and (indexed is None or indexed.version >= fresh.version):
            del self._fresh[job_id]
