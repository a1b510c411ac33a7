"""What people tell a schedule directly: load, check, decide, answer."""

from msgspec import UNSET
from msgspec.structs import replace

from linstock import names
from linstock.bus.inbox import CommandContext, NotYet, Plan, Refused
from linstock.eventlog.log import EventLog
from linstock.messages.answer import Answer
from linstock.messages.schedule_commands import ChangeSchedule, CreateSchedule, PauseSchedule
from services.scheduler import limits, owned
from services.scheduler.calendar_edits import CalendarPlanner
from services.scheduler.index import Index
from services.scheduler.known import SCHEDULE
from services.scheduler.schedule import Deleted, Disabled, Enabled, Existing, Paused, Undefined, editing
from services.scheduler.schedule.editing import Edit
from services.scheduler.tzdata import tzdata_version


class EditPlanner:
    """Plans on one log. No plan holds before its time: whoever's clock is ahead must not move a cursor past the true
    time."""

    def __init__(self, log: EventLog, index: Index) -> None:
        self._log = log
        self._index = index
        self._calendars = CalendarPlanner(log, index)
        self._tzdata = tzdata_version()

    async def create(self, command: CreateSchedule, context: CommandContext) -> Plan:
        """A further schedule of a library; its own again, if that was deleted. Raises Refused, NotYet."""
        own = await owned.load(self._log, self._index, names.schedule_of(command.library_id), context.workspace)
        command = replace(command, name=command.name.strip(), timing=limits.tidy(command.timing))
        limits.check(command.name, command.description, command.timing, command.policy, command.scan_mode)
        if command.calendars:
            copies = await self._calendars.copies(command.calendars, context.workspace)
            command = replace(command, rules=replace(command.rules, calendars=copies))
        limits.check_rules(command.rules)
        match own.state if own else Undefined():
            case Undefined():
                raise NotYet(f"There is no library {command.library_id}.")
            case Deleted(last=Disabled() as last):
                schedule, basis = own, last
            case Enabled() | Disabled() | Paused() as basis:
                schedule = await SCHEDULE.load(self._log, names.derived_id("schedule", context.command_id))
            case _:
                raise limits.invalid("parameters/LibraryId", f"there is no library {command.library_id}")
        assert schedule
        events = editing.create(
            command,
            schedule.state,
            schedule_id=schedule.aggregate_id,
            target=basis.target,
            version=basis.library_version,
            at=context.at,
        )
        answer = Answer(status=201, id=schedule.aggregate_id)
        return Plan(answer=answer, appends=[schedule.append(events)], not_before=context.at)

    async def edit(self, command: Edit, context: CommandContext) -> Plan:
        """Raises Refused."""
        if isinstance(command, ChangeSchedule):
            command = await self._with_days(_tidied(command), context)
        if isinstance(command, PauseSchedule):
            command = replace(command, reason=command.reason.strip())
            limits.check_pause(command.reason, command.resume_at, context.at)
        loaded = await owned.load(self._log, self._index, command.schedule_id, context.workspace)
        try:
            events = editing.edit(command, loaded.state if loaded else Undefined(), at=context.at, tzdata=self._tzdata)
        except editing.NoSuchSchedule as error:
            raise Refused(
                404, "scheduled-job-not-found", f"There is no scheduled job {command.schedule_id}."
            ) from error
        except editing.OtherEdition as error:
            raise Refused(412, "precondition-failed", f"{error} Read it again.") from error
        except editing.NotOn as error:
            raise Refused(409, "schedule-disabled", str(error)) from error
        assert loaded
        after = loaded.after(events).state
        if events and isinstance(after, Existing):
            limits.check(after.name, after.description, after.timing, after.policy, after.scan_mode)
            limits.check_rules(after.rules)
        answer = Answer(status=200, id=command.schedule_id)
        return Plan(answer=answer, appends=[loaded.append(events)], not_before=context.at)

    async def _with_days(self, command: ChangeSchedule, context: CommandContext) -> ChangeSchedule:
        if command.calendars is UNSET:
            return command
        copies = await self._calendars.copies(command.calendars, context.workspace)
        return replace(command, rules=replace(command.rules, calendars=copies))


def _tidied(command: ChangeSchedule) -> ChangeSchedule:
    name, expression = command.name, command.expression
    if name is not UNSET:
        name = name.strip()
        if not name:
            raise limits.invalid("name", "a name has 1 to 200 characters")
    if expression is not UNSET:
        expression = " ".join(expression.split())
    return replace(command, name=name, expression=expression)
