"""From a command to what is appended: which planner plans it, and cancelling a job."""

from uuid import UUID

from linstock import names
from linstock.bus.inbox import CommandContext, Plan, Refused
from linstock.eventlog.log import EventLog
from linstock.messages.answer import Answer
from linstock.messages.calendar import DeleteCalendar, PutCalendar
from linstock.messages.enqueue import EnqueueJobs
from linstock.messages.hints import HintPaths
from linstock.messages.job import (
    BUILT_IN,
    LIBRARY_SCAN,
    CancelJob,
    CancelRun,
    JobCommand,
    JobRequested,
    PauseJob,
    PauseRun,
    ResumeJob,
    ResumeRun,
    RetryRun,
)
from linstock.messages.maintenance import RequestCleaning
from linstock.messages.schedule_commands import (
    BackfillSchedule,
    ChangeSchedule,
    CreateSchedule,
    DeleteSchedule,
    DisableSchedule,
    EnableSchedule,
    PauseSchedule,
    PauseSchedules,
    RequestScan,
    ResumeSchedule,
    ResumeSchedules,
    TriggerSchedule,
)
from services.scheduler import enqueuing, job, limits, maintenance
from services.scheduler.backfills import BackfillPlanner
from services.scheduler.calendar_edits import CalendarPlanner
from services.scheduler.edits import EditPlanner
from services.scheduler.enqueuing import EnqueuePlanner
from services.scheduler.hint_planner import HintPlanner
from services.scheduler.index import Index
from services.scheduler.known import JOB, KnownJob
from services.scheduler.many import ManyPlanner
from services.scheduler.triggers import TriggerPlanner

SchedulerCommand = (
    RequestScan
    | TriggerSchedule
    | BackfillSchedule
    | CreateSchedule
    | ChangeSchedule
    | EnableSchedule
    | DisableSchedule
    | PauseSchedule
    | PauseSchedules
    | ResumeSchedule
    | ResumeSchedules
    | DeleteSchedule
    | PutCalendar
    | DeleteCalendar
    | CancelRun
    | PauseRun
    | ResumeRun
    | RetryRun
    | EnqueueJobs
    | HintPaths
    | RequestCleaning
)


class SchedulerPlanner:
    """Plans on one log."""

    def __init__(self, log: EventLog, index: Index) -> None:
        self._log = log
        self._triggers = TriggerPlanner(log, index)
        self._enqueuing = EnqueuePlanner(log, index)
        self._calendars = CalendarPlanner(log, index)
        self._edits = EditPlanner(log, index)
        self._many = ManyPlanner(log, index)
        self._backfills = BackfillPlanner(log, index)
        self._hints = HintPlanner(log, index)

    async def plan(self, command: SchedulerCommand, context: CommandContext) -> Plan:
        """Raises Refused, and NotYet for a library that was not heard of."""
        match command:
            case RequestScan() | TriggerSchedule():
                return await self._triggers.plan(command, context)
            case BackfillSchedule():
                return await self._backfills.plan(command, context)
            case CreateSchedule():
                return await self._edits.create(command, context)
            case PauseSchedules() | ResumeSchedules():
                return await self._many.plan(command, context)
            case PutCalendar() | DeleteCalendar():
                return await self._calendars.plan(command, context)
            case RequestCleaning():
                return maintenance.asked_for(command, context)
            case HintPaths():
                return await self._hints.hint(command, context)
            case CancelRun() | PauseRun() | ResumeRun():
                return await self._told(command, context)
            case EnqueueJobs() | RetryRun():
                return await self._wanted(command, context)
            case _:
                return await self._edits.edit(command, context)

    async def _wanted(self, command: EnqueueJobs | RetryRun, context: CommandContext) -> Plan:
        """Jobs of applications. Raises Refused."""
        if isinstance(command, EnqueueJobs):
            return await self._enqueuing.plan(command, context)
        known = await self._run(command.job_id, context)
        [requested, *_] = await self._log.load(command.job_id)
        request = JOB.decode(requested.data)
        if not isinstance(request, JobRequested) or request.job_type in BUILT_IN:
            raise Refused(409, "not-retriable", "Only jobs of applications are done again; ask for a new scan instead.")
        state = known.state
        if not isinstance(state, job.Closed) or state.verdict == "succeeded":
            said = "has succeeded" if isinstance(state, job.Closed) else "is still open"
            raise Refused(409, "not-failed", f"Job {command.job_id} {said}: there is nothing to do again.")
        job_id = names.retry_of(command.job_id)
        answer = Answer(status=202, id=job_id)
        if await self._log.first_of([job_id]):
            return Plan(answer=answer)
        again = enqueuing.again(job_id, request, context)
        return Plan(answer=answer, appends=[JOB.unborn(job_id).append([again])])

    async def _run(self, job_id: UUID, context: CommandContext) -> KnownJob:
        known = await KnownJob.load(self._log, job_id)
        if known is None or known.workspace != context.workspace or isinstance(known.state, job.Unrequested):
            raise Refused(404, "run-not-found", f"There is no run {job_id}.")
        return known

    async def _told(self, command: CancelRun | PauseRun | ResumeRun, context: CommandContext) -> Plan:
        """A run, by a person. Cancelling what is cancelled, pausing what is paused and resuming what is not changes
        nothing."""
        limits.check_reason(command.reason)
        known = await self._run(command.job_id, context)
        cancels = isinstance(command, CancelRun)
        if isinstance(known.state, job.Closed) and not (cancels and known.state.verdict == "cancelled"):
            raise Refused(409, "job-closed", f"Run {command.job_id} has {known.state.verdict} already.")
        if not cancels and (isinstance(known.state, job.Unrequested) or known.state.facts.job_type != LIBRARY_SCAN):
            raise Refused(409, "not-pausable", "Only scans can be paused.")
        events = job.decide(_wish(command, context), known.state)
        return Plan(answer=Answer(status=200, id=command.job_id), appends=[known.append(events)])


def _wish(command: CancelRun | PauseRun | ResumeRun, context: CommandContext) -> JobCommand:
    match command:
        case CancelRun(job_id=job_id, reason=reason):
            return CancelJob(job_id=job_id, reason=reason, at=context.at)
        case PauseRun(reason=reason):
            return PauseJob(reason=reason, at=context.at)
        case ResumeRun(reason=reason):
            return ResumeJob(reason=reason, at=context.at)
