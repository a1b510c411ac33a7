"""Tells a job something: decide, append, and again on what the log says when somebody was faster."""

import asyncio
import contextlib
from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from linstock.eventlog.log import EventLog
from linstock.eventlog.record import EventTooLarge, Origin, VersionConflict
from linstock.messages.job import JobCommand, JobEvent
from services.scheduler import job
from services.scheduler.index import Index
from services.scheduler.job import ClaimRefused
from services.scheduler.known import KnownJob

TRIES = 20
ACTOR = "scheduler"


class UnknownJob(Exception):
    """There is no such job in this log."""

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"{self.__doc__} {job_id}")
        self.job_id = job_id


NotTold = ClaimRefused | UnknownJob | EventTooLarge


class Telling(Struct, frozen=True):
    job_id: UUID
    command: JobCommand
    actor: str


class Verdicts:
    """The one way to change a job. The index is tried first, because it costs nothing; only the log may say no."""

    def __init__(self, log: EventLog, index: Index) -> None:
        self._log = log
        self._index = index

    async def tell(
        self, job_id: UUID, command: JobCommand, *, actor: str = ACTOR, causation_id: UUID | None = None
    ) -> KnownJob:
        """The job as it is afterwards, in the log. Appends nothing when the job has heard it already.

        Raises ClaimRefused (StartAttempt only), UnknownJob, VersionConflict after twenty defeats in a row, and what
        Postgres raises: then the outcome is unknown, and telling it again is harmless.
        """
        known = self._index.jobs.get(job_id)
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

    async def tell_all(self, tellings: Sequence[Telling]) -> list[KnownJob | NotTold]:
        """As `tell`, for many jobs: in one append where memory is right, else each job by itself, in this order.
        What `tell` raises about one of them stands in its place; what Postgres raises is raised."""
        told: dict[int, KnownJob | NotTold] = {}
        together = self._together(tellings)
        if together:
            appends = [known.append(events, origin) for _, known, events, origin in together]
            try:
                await self._log.append(appends, together[0][3])
            except (VersionConflict, EventTooLarge):
                pass  # of one of them: which, the log says
            else:
                told = {place: self._keep(known.after(events)) for place, known, events, _ in together}
        left: dict[UUID, list[int]] = {}
        for place, telling in enumerate(tellings):
            if place not in told:
                left.setdefault(telling.job_id, []).append(place)

        async def one_by_one(places: Sequence[int]) -> None:
            for place in places:
                told[place] = await self._told(tellings[place])

        await asyncio.gather(*map(one_by_one, left.values()))
        return [told[place] for place in range(len(tellings))]

    def _together(self, tellings: Sequence[Telling]) -> list[tuple[int, KnownJob, list[JobEvent], Origin]]:
        """What can be decided on memory alone; of several about one job the first."""
        found: dict[UUID, tuple[int, KnownJob, list[JobEvent], Origin]] = {}
        for place, telling in enumerate(tellings):
            known = self._index.jobs.get(telling.job_id)
            if known is None or telling.job_id in found:
                continue
            with contextlib.suppress(ClaimRefused):
                if events := job.decide(telling.command, known.state):
                    origin = known.origin(actor=telling.actor, at=telling.command.at, causation_id=None)
                    found[telling.job_id] = place, known, events, origin
        return list(found.values())

    async def _told(self, telling: Telling) -> KnownJob | NotTold:
        try:
            return await self.tell(telling.job_id, telling.command, actor=telling.actor)
        except (ClaimRefused, UnknownJob, EventTooLarge) as error:
            return error

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
            await self._log.append([known.append(events)], origin)
        except VersionConflict:
            return None
        return self._keep(known.after(events))

    def _keep(self, told: KnownJob) -> KnownJob:
        self._index.foretell(told)
        return told
