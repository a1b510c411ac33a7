"""Scan now: one open scan per library, whichever of its schedules, or whoever, asks."""

import time
from uuid import UUID

from msgspec import UNSET, Struct

from linstock import names
from linstock.bus.inbox import CommandContext, NotYet, Plan, Refused
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Append
from linstock.messages.answer import Answer
from linstock.messages.job import ScanRequested
from linstock.messages.schedule import ScanPath
from linstock.messages.schedule_commands import RequestScan, TriggerSchedule
from services.scheduler import owned
from services.scheduler.index import Index
from services.scheduler.known import JOB, SCHEDULE
from services.scheduler.limits import check_mode, check_scope, invalid
from services.scheduler.schedule import Deleted, Disabled, Enabled, Existing, Paused, Undefined

TRIGGERS = ("API", "Manual")
ASKED_FOR_S = 5.0  # how long we remember a scan that the index may not show yet
CATCH_UP_S = 0.5


class Wanted(Struct, frozen=True):
    triggered_by: str
    scan_mode: str
    scope: tuple[ScanPath, ...] = ()
    dry_run: bool = False


class TriggerPlanner:
    """A second scan of a library is refused, naming the first."""

    def __init__(self, log: EventLog, index: Index) -> None:
        self._log = log
        self._index = index
        self._asked: dict[UUID, tuple[UUID, float]] = {}
        index.on_job(self._seen)

    async def plan(self, command: RequestScan | TriggerSchedule, context: CommandContext) -> Plan:
        """Raises Refused, NotYet."""
        if isinstance(command, RequestScan):
            return await self._request_scan(command, context)
        return await self._trigger(command, context)

    async def _request_scan(self, command: RequestScan, context: CommandContext) -> Plan:
        """Of a library, whatever its schedule says. Raises Refused, NotYet."""
        check_mode(command.scan_mode)
        check_scope(command.scope)
        schedule_id = names.schedule_of(command.library_id)
        known = self._index.schedules.get(schedule_id)
        if known is None:
            raise NotYet(f"There is no library {command.library_id}.")
        gone = Refused(404, "library-not-found", f"There is no library {command.library_id}.")
        if known.workspace != context.workspace:
            raise gone
        match (await SCHEDULE.load(self._log, schedule_id)).state:
            case Undefined():
                raise NotYet(f"There is no library {command.library_id}.")
            case Deleted(last=None):
                raise gone
            case Deleted(last=Disabled() as state) | (Enabled() | Disabled() | Paused() as state):
                wanted = Wanted(command.triggered_by, command.scan_mode, command.scope, command.dry_run)
                return await self._ask(state, wanted, context)
            case _:
                raise gone

    async def _trigger(self, command: TriggerSchedule, context: CommandContext) -> Plan:
        """Raises Refused."""
        loaded = await owned.load(self._log, self._index, command.schedule_id, context.workspace)
        if loaded is None or not isinstance(loaded.state, Existing):
            raise Refused(404, "scheduled-job-not-found", f"There is no scheduled job {command.schedule_id}.")
        mode = loaded.state.scan_mode if command.scan_mode is UNSET else command.scan_mode
        check_mode(mode)
        return await self._ask(loaded.state, Wanted(command.triggered_by, mode), context)

    async def _ask(self, state: Existing, wanted: Wanted, context: CommandContext) -> Plan:
        if wanted.triggered_by not in TRIGGERS:
            raise invalid("triggeredBy", f"it is {' or '.join(TRIGGERS)}")
        job_id = names.derived_id("job-of-command", context.command_id)
        await self._refuse_second(state.target.library_id, job_id)
        request = ScanRequested(
            job_id=job_id,
            schedule_id=state.schedule_id,
            instant=None,
            triggered_by=wanted.triggered_by,
            target=state.target,
            policy=state.policy,
            requested_at=context.at,
            scan_mode=wanted.scan_mode,
            include_subfolders=state.target.include_subfolders,
            scope=wanted.scope,
            dry_run=wanted.dry_run,
        )
        append = Append(aggregate=JOB.name, aggregate_id=job_id, expected_version=0, events=[request])
        return Plan(answer=Answer(status=202, id=job_id), appends=[append])

    async def _refuse_second(self, library_id: UUID, job_id: UUID) -> None:
        """The index lags by a moment: what was asked for here lately counts as open too, and what it still shows as
        open may have ended, as the caller may have read."""
        here = time.monotonic()
        self._asked = {each: asked for each, asked in self._asked.items() if here - asked[1] < ASKED_FOR_S}
        if self._open(library_id, job_id):
            await self._index.reached(await self._log.last_position(), timeout_s=CATCH_UP_S)
        if open_id := self._open(library_id, job_id):
            raise Refused(409, "scan-already-open", f"Scan {open_id} of this library is still open.")
        self._asked[library_id] = (job_id, here)

    def _open(self, library_id: UUID, job_id: UUID) -> UUID | None:
        """An open scan of the library, other than this one."""
        asked_id, _ = self._asked.get(library_id, (job_id, 0.0))
        return next((each for each in (*self._index.open_jobs_of(library_id), asked_id) if each != job_id), None)

    def _seen(self, job_id: UUID) -> None:
        """The index shows it: it speaks for itself now."""
        self._asked = {each: asked for each, asked in self._asked.items() if asked[0] != job_id}
