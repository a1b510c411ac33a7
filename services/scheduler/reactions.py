"""What libraries and scans do to schedules and jobs. Any event may come twice, late, or before an older one."""

from contextlib import suppress
from datetime import date
from uuid import UUID

import msgspec
import structlog
from msgspec import Raw
from msgspec.structs import replace

from linstock import names
from linstock.bus.inbox import NotYet
from linstock.bus.reactions import following
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Recorded, VersionConflict
from linstock.messages.enrichment import EnrichPayload
from linstock.messages.job import (
    ENRICH,
    CancelJob,
    JobCommand,
    JobRequested,
    ReportFailure,
    ReportSuccess,
    ScanRequested,
)
from linstock.messages.library import (
    LibraryDeleted,
    LibraryEvent,
)
from linstock.messages.scan import ScanCompleted, ScanEvent, ScanFailed
from linstock.messages.schedule import FollowLibrary, ForgetLibrary, JobPolicy
from services.scheduler import maintenance, schedule
from services.scheduler.clock import ClockStale, PostgresClock
from services.scheduler.index import Index
from services.scheduler.known import JOB, SCHEDULE
from services.scheduler.schedule import Deleted
from services.scheduler.tzdata import tzdata_version
from services.scheduler.verdicts import UnknownJob, Verdicts

logger = structlog.get_logger(__name__)

ACTOR = "scheduler"
TRIES = 20
CATCH_UP_S = 2.0
SCHEDULER = "Scheduler"
ENRICHING = JobPolicy(priority=1, timeout_s=7 * 24 * 3600, max_retries=5)
"""Behind everything else, for as long as it takes: it waits while scans run."""

_LIBRARY: msgspec.json.Decoder[LibraryEvent] = msgspec.json.Decoder(LibraryEvent)
_SCAN: msgspec.json.Decoder[ScanEvent] = msgspec.json.Decoder(ScanEvent)


class Reactor:
    """Decides on what the log says, never on what arrived before."""

    def __init__(self, log: EventLog, index: Index, clock: PostgresClock, verdicts: Verdicts) -> None:
        self._log = log
        self._index = index
        self._clock = clock
        self._verdicts = verdicts
        self._tzdata = tzdata_version()
        self._kept_house: date | None = None  # of us; others may have

    async def react(self, recorded: Recorded) -> None:
        """Raises NotYet while nobody knows what time it is; other events than ours do nothing."""
        try:
            if recorded.type.startswith("linstock.library."):
                await self._library(recorded, _LIBRARY.decode(recorded.data))
            elif recorded.type.startswith("linstock.scan.") and recorded.log != names.SCHEDULER:
                await self._scan(recorded)
        except ClockStale as error:
            raise NotYet(str(error)) from error

    async def _library(self, recorded: Recorded, event: LibraryEvent) -> None:
        for schedule_id in await self._schedules_of(event.library_id):
            await self._tell_schedule(schedule_id, self._told(schedule_id, event, recorded), recorded)
        if isinstance(event, LibraryDeleted):
            await self._cancel_open_jobs(event.library_id, recorded)

    async def _schedules_of(self, library_id: UUID) -> list[UUID]:
        """Its own one, and those that people added; one that is added meanwhile starts from its own's newest."""
        await self._caught_up()
        own = names.schedule_of(library_id)
        return [own, *(each for each in self._index.schedules_of(library_id) if each != own)]

    def _told(self, schedule_id: UUID, event: LibraryEvent, recorded: Recorded) -> FollowLibrary | ForgetLibrary:
        if isinstance(event, LibraryDeleted):
            return ForgetLibrary(
                schedule_id=schedule_id,
                library_version=recorded.version,
                at=self._clock.require(),
                tzdata=self._tzdata,
            )
        return FollowLibrary(
            schedule_id=schedule_id,
            library_id=event.library_id,
            library_version=recorded.version,
            settings=event.settings,
            at=self._clock.require(),  # not the event's: another service's clock must not move a cursor
            auto_scan_at=event.auto_scan_at or recorded.time,
            timing_at=event.timing_at or recorded.time,
            tzdata=self._tzdata,
        )

    async def _caught_up(self) -> None:
        if not await self._index.reached(await self._log.last_position(), timeout_s=CATCH_UP_S):
            raise NotYet("the index is behind the log")

    async def _tell_schedule(
        self, schedule_id: UUID, command: FollowLibrary | ForgetLibrary, recorded: Recorded
    ) -> None:
        for _ in range(TRIES):
            loaded = await SCHEDULE.load(self._log, schedule_id)
            events = schedule.decide(command, loaded.state)
            try:
                origin = following(recorded, actor=recorded.actor, at=self._clock.require())
                await self._log.append([loaded.append(events)], origin, not_before=command.at)
            except VersionConflict:
                continue  # a tick was faster
            return
        raise VersionConflict([schedule_id])

    async def _cancel_open_jobs(self, library_id: UUID, recorded: Recorded) -> None:
        """Its schedules are deleted by now, so no tick asks for another one."""
        await self._caught_up()
        for job_id in (*self._index.open_jobs_of(library_id), *self._index.jobs_serving(library_id)):
            command = CancelJob(job_id=job_id, reason="library deleted", at=self._clock.require())
            await self._tell_job(job_id, command, recorded)

    async def _scan(self, recorded: Recorded) -> None:
        """Of the catalogue's `scan.started` and the like there is nothing to learn."""
        if recorded.type == ScanCompleted.__struct_config__.tag or recorded.type == ScanFailed.__struct_config__.tag:
            event = _SCAN.decode(recorded.data)
            assert isinstance(event, ScanCompleted | ScanFailed)
            await self._tell_job(event.scan_id, self._verdict(event), recorded)
            if isinstance(event, ScanCompleted) and event.unenriched:
                await self._enrich(event, recorded)
            await self._keep_house(recorded)

    async def _keep_house(self, recorded: Recorded) -> None:
        """With the first scan of a day."""
        at = self._clock.require()
        if self._kept_house == at.date():
            return
        job_id = maintenance.of_day(at.date())
        request = maintenance.cleaning(job_id, dry_run=False, triggered_by=SCHEDULER, at=at)
        origin = replace(following(recorded, actor=ACTOR, at=at), workspace=names.DEFAULT_WORKSPACE)
        with suppress(VersionConflict):  # it was asked for already
            await self._log.append([JOB.unborn(job_id).append([request])], origin)
        self._kept_house = at.date()

    def _verdict(self, event: ScanCompleted | ScanFailed) -> JobCommand:
        at = self._clock.require()
        if isinstance(event, ScanFailed):
            return ReportFailure(
                attempt=event.attempt,
                lease=event.lease,
                at=at,
                code=event.code,
                message=event.message,
                final=event.final,
            )
        result = {"counts": event.counts, "durationMs": event.duration_ms, "held": event.held}
        return ReportSuccess(attempt=event.attempt, lease=event.lease, at=at, result=Raw(msgspec.json.encode(result)))

    async def _tell_job(self, job_id: UUID, command: JobCommand, recorded: Recorded) -> None:
        try:
            await self._verdicts.tell(job_id, command, causation_id=recorded.event_id)
        except UnknownJob:
            # A verdict follows a claim, and a claim follows the request in this very log: it is not going to come.
            logger.warning("A scan is of no job of ours", job_id=str(job_id), event=recorded.type)

    async def _enrich(self, scan: ScanCompleted, recorded: Recorded) -> None:
        """Have read what the scan found, once per verdict; not of a library that is deleted."""
        own = self._index.schedules.get(names.schedule_of(scan.library_id))
        requested = await self._log.load(scan.scan_id)
        if (own and isinstance(own.state, Deleted)) or not requested:
            return
        scanned = JOB.decode(requested[0].data)
        if not isinstance(scanned, ScanRequested):
            return
        payload = EnrichPayload(library_id=scan.library_id, scan_id=scan.scan_id, root=scanned.target.library_path)
        job_id, at = names.job_after(recorded.event_id), self._clock.require()
        request = JobRequested(
            job_id=job_id,
            job_type=ENRICH,
            queue=names.ENRICH_QUEUE,
            payload=Raw(msgspec.json.encode(payload)),
            policy=ENRICHING,
            requested_at=at,
            triggered_by=SCHEDULER,
            library_id=scan.library_id,
        )
        with suppress(VersionConflict):  # it was asked for already
            await self._log.append([JOB.unborn(job_id).append([request])], following(recorded, actor=ACTOR, at=at))
