"""What people tell calendars, and their days for who names them."""

import re
from collections.abc import Sequence
from datetime import date

from linstock import days_off, names, text
from linstock.bus.inbox import CommandContext, NotYet, Plan, Refused
from linstock.eventlog.log import EventLog
from linstock.messages.answer import Answer
from linstock.messages.calendar import MOST_DAYS, NAME, NAME_LIMIT, DeleteCalendar, PutCalendar
from linstock.messages.rules import CalendarDays
from services.scheduler import calendar, limits
from services.scheduler.calendar import Calendar, Defined, Delete, Put, Undefined
from services.scheduler.calendars import CALENDAR
from services.scheduler.index import Index

CATCH_UP_S = 2.0
EARLIEST, LATEST = date(1970, 1, 1), date(2999, 12, 31)

_NAME = re.compile(NAME)


class CalendarPlanner:
    """Plans on one log."""

    def __init__(self, log: EventLog, index: Index) -> None:
        self._log = log
        self._index = index

    async def plan(self, command: PutCalendar | DeleteCalendar, context: CommandContext) -> Plan:
        """Raises Refused, NotYet."""
        if isinstance(command, PutCalendar):
            return await self.put(command, context)
        return await self.delete(command, context)

    async def put(self, command: PutCalendar, context: CommandContext) -> Plan:
        """Raises Refused."""
        description, days = command.description.strip(), days_off.sorted_once(command.days)
        _check(command.name, description, command.days, days)
        loaded = await CALENDAR.load(self._log, names.calendar_of(context.workspace, command.name))
        _check_version(loaded.state, command.if_versions)
        put = Put(loaded.aggregate_id, command.name, description, days, context.at)
        status = 200 if isinstance(loaded.state, Defined) else 201
        return Plan(
            answer=Answer(status=status, id=loaded.aggregate_id),
            appends=[loaded.append(calendar.decide(put, loaded.state))],
        )

    async def delete(self, command: DeleteCalendar, context: CommandContext) -> Plan:
        """Raises Refused; NotYet while nobody can say who uses it. Who is told to use it at this very moment keeps its
        copy."""
        loaded = await CALENDAR.load(self._log, names.calendar_of(context.workspace, command.name))
        if isinstance(loaded.state, Undefined):
            raise Refused(404, "calendar-not-found", f"There is no calendar {command.name!r}.")
        if isinstance(loaded.state, Defined):
            _check_version(loaded.state, command.if_versions)
            if not await self._index.reached(await self._log.last_position(), timeout_s=CATCH_UP_S):
                raise NotYet("the index is behind the log")
            if users := len(self._index.calendars.users_of(loaded.aggregate_id)):
                told = "1 schedule uses it" if users == 1 else f"{users:,} schedules use it"
                raise Refused(409, "calendar-in-use", f"{told}: take it away from them first.")
        events = calendar.decide(Delete(context.at), loaded.state)
        return Plan(answer=Answer(status=200, id=loaded.aggregate_id), appends=[loaded.append(events)])

    async def copies(self, wanted: Sequence[str], workspace: str) -> tuple[CalendarDays, ...]:
        """Each once, as they are now. Raises Refused (422) for one that is not there."""
        limits.check_calendars(wanted)
        found = list[CalendarDays]()
        for number, name in enumerate(wanted):
            loaded = await CALENDAR.load(self._log, names.calendar_of(workspace, name))
            if not isinstance(loaded.state, Defined):
                raise limits.invalid(f"calendars/{number}", f"there is no calendar {name!r}")
            found.append(loaded.state.copy())
        return tuple(found)


def _check(name: str, description: str, given: Sequence[date], days: Sequence[date]) -> None:
    if len(name) > NAME_LIMIT or not _NAME.fullmatch(name):
        detail = f"it has 1 to {NAME_LIMIT} lower-case letters and digits, with single -, _ or . between them"
        raise limits.invalid("name", detail)
    if len(description) > limits.DESCRIPTION_LIMIT:
        raise limits.invalid("description", f"it has at most {limits.DESCRIPTION_LIMIT} characters")
    if reason := text.flaw(description, text.LINES):
        raise limits.invalid("description", reason)
    if len(days) > MOST_DAYS:
        raise limits.invalid("days", f"there are at most {MOST_DAYS}")
    for number, day in enumerate(given):
        if not EARLIEST <= day <= LATEST:
            raise limits.invalid(f"days/{number}", f"it is {EARLIEST} to {LATEST}")


def _check_version(state: Calendar, wanted: Sequence[int]) -> None:
    version = state.version if isinstance(state, Defined) else 0
    if wanted and version not in wanted:
        is_now = f"its version is {version}" if version else "it is not there"
        raise Refused(412, "precondition-failed", f"The calendar was changed since: {is_now}. Read it again.")
