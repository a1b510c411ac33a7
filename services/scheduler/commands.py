"""From a command to what is appended: scan now, and cancel."""

import time
from uuid import UUID

from msgspec.structs import replace

from linstock import names
from linstock.bus.inbox import CommandContext, NotYet, Plan, Refused
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Append
from linstock.messages.answer import Answer
from linstock.messages.job import CancelJob, ScanRequested
from linstock.messages.schedule import RequestScan
from services.scheduler import job
from services.scheduler.index import Index
from services.scheduler.known import JOB, SCHEDULE, KnownJob
from services.scheduler.schedule import Deleted, Disabled, Enabled, Undefined

SchedulerCommand = RequestScan | CancelJob

TRIGGERS = ("API", "Manual")
REASON_LIMIT = 500  # characters
ASKED_FOR_S = 5.0  # how long we remember a scan that the index may not show yet


class SchedulerPlanner:
    """Plans on one log. One open scan per library: a second one is refused, naming the first."""

    def __init__(self, log: EventLog, index: Index) -> None:
        self._log = log
        self._index = index
        self._asked: dict[UUID, tuple[UUID, float]] = {}
        index.on_job(self._seen)

    async def plan(self, command: SchedulerCommand, context: CommandContext) -> Plan:
        """Raises Refused, and NotYet for a library that was not heard of."""
        if isinstance(command, RequestScan):
            return await self._request_scan(command, context)
        return await self._cancel(command, context)

    async def _request_scan(self, command: RequestScan, context: CommandContext) -> Plan:
        if command.triggered_by not in TRIGGERS:
            raise Refused(422, "invalid-trigger", f"triggeredBy is {' or '.join(TRIGGERS)}.")
        schedule_id = names.schedule_of(command.library_id)
        known = self._index.schedules.get(schedule_id)
        if known is None:
            raise NotYet(f"There is no library {command.library_id}.")
        if known.workspace != context.workspace:
            raise Refused(404, "library-not-found", f"There is no library {command.library_id}.")
        state = (await SCHEDULE.load(self._log, schedule_id)).state
        match state:
            case Undefined():
                raise NotYet(f"There is no library {command.library_id}.")
            case Deleted():
                raise Refused(404, "library-not-found", f"Library {command.library_id} was deleted.")
            case Enabled() | Disabled():
                job_id = names.derived_id("job-of-command", context.command_id)
                self._refuse_second(schedule_id, job_id)
                return _asking(command, context, state, job_id)

    def _refuse_second(self, schedule_id: UUID, job_id: UUID) -> None:
        """The index lags by a moment, so what was asked for here lately counts as open too."""
        here = time.monotonic()
        self._asked = {each: asked for each, asked in self._asked.items() if here - asked[1] < ASKED_FOR_S}
        asked_id, _ = self._asked.get(schedule_id, (job_id, here))
        for open_id in (*self._index.open_jobs_of(schedule_id), asked_id):
            if open_id != job_id:
                detail = f"Scan {open_id} of this library is still open."
                raise Refused(409, "scan-already-open", detail)
        self._asked[schedule_id] = (job_id, here)

    def _seen(self, job_id: UUID) -> None:
        """The index shows it: it speaks for itself now."""
        self._asked = {each: asked for each, asked in self._asked.items() if asked[0] != job_id}

    async def _cancel(self, command: CancelJob, context: CommandContext) -> Plan:
        known = await KnownJob.load(self._log, command.job_id)
        if known is None or known.workspace != context.workspace:
            raise Refused(404, "job-not-found", f"There is no job {command.job_id}.")
        if isinstance(known.state, job.Closed) and known.state.verdict != "cancelled":
            raise Refused(409, "job-closed", f"Job {command.job_id} has {known.state.verdict} already.")
        # The time is the owner's: a caller's clock says nothing about when it happened.
        events = job.decide(replace(command, at=context.at, reason=command.reason[:REASON_LIMIT]), known.state)
        return Plan(answer=Answer(status=200, id=command.job_id), appends=[known.append(events)])


def _asking(command: RequestScan, context: CommandContext, state: Enabled | Disabled, job_id: UUID) -> Plan:
    request = ScanRequested(
        job_id=job_id,
        schedule_id=state.schedule_id,
        instant=None,
        triggered_by=command.triggered_by,
        target=state.target,
        policy=state.policy,
        requested_at=context.at,
    )
    append = Append(aggregate=JOB.name, aggregate_id=job_id, expected_version=0, events=[request])
    return Plan(answer=Answer(status=202, id=job_id), appends=[append])
