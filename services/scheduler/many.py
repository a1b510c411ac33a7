"""Pausing and resuming many schedules at once: all of those that are meant, or none."""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime
from typing import assert_never
from uuid import UUID

from linstock.bus.inbox import CommandContext, NotYet, Plan, Refused
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Append
from linstock.messages.answer import Answer, Many
from linstock.messages.schedule_commands import PauseSchedule, PauseSchedules, ResumeSchedule, ResumeSchedules, Which
from services.scheduler import limits
from services.scheduler.index import Index
from services.scheduler.known import KnownSchedule
from services.scheduler.schedule import Enabled, Existing, Paused, editing
from services.scheduler.schedule.editing import Edit
from services.scheduler.tzdata import tzdata_version

CATCH_UP_S = 2.0
MOST = 5_000
NAMED = 10
MATCHED = "{matched:,} schedules are meant, and at most {most:,} go at once: say it for fewer."

Told = Callable[[KnownSchedule], Edit]


class ManyPlanner:
    """Decides on the index, which has all that was in the log when the command came; whoever is changed meanwhile makes
    the whole insert fail, and it is planned again."""

    def __init__(self, log: EventLog, index: Index) -> None:
        self._log = log
        self._index = index
        self._tzdata = tzdata_version()

    async def plan(self, command: PauseSchedules | ResumeSchedules, context: CommandContext) -> Plan:
        """Raises Refused."""
        match command:
            case PauseSchedules():
                return await self.pause(command, context)
            case ResumeSchedules():
                return await self.resume(command, context)
            case _:
                assert_never(command)

    async def pause(self, command: PauseSchedules, context: CommandContext) -> Plan:
        """Raises Refused, NotYet."""
        reason, resume_at = command.reason.strip(), command.resume_at
        limits.check_pause(reason, resume_at, context.at)
        meant = await self._meant(command.which, context.workspace)
        wanted = [known for known in meant if _may_be_paused(known, resume_at)]

        def told(known: KnownSchedule) -> Edit:
            return PauseSchedule(schedule_id=known.schedule_id, reason=reason, resume_at=resume_at)

        return await self._plan(meant, wanted, told, context, dry_run=command.dry_run)

    async def resume(self, command: ResumeSchedules, context: CommandContext) -> Plan:
        """Raises Refused, NotYet."""
        meant = await self._meant(command.which, context.workspace)
        wanted = [known for known in meant if isinstance(known.state, Paused)]

        def told(known: KnownSchedule) -> Edit:
            return ResumeSchedule(schedule_id=known.schedule_id)

        return await self._plan(meant, wanted, told, context, dry_run=command.dry_run)

    async def _meant(self, which: Which, workspace: str) -> list[KnownSchedule]:
        if which == Which():
            raise limits.invalid("all", "say which schedules are meant")
        if not await self._index.reached(await self._log.last_position(), timeout_s=CATCH_UP_S):
            raise NotYet("the index is behind the log")
        given = self._given(which)
        found = await asyncio.to_thread(self._found, given, which, workspace)  # ticks must not wait for a million
        if len(found) > MOST:
            raise Refused(422, "too-many-schedules", MATCHED.format(matched=len(found), most=MOST))
        return found

    def _given(self, which: Which) -> Collection[UUID]:
        """As few as can be told at once."""
        if which.ids is not None:
            return dict.fromkeys(which.ids)
        if which.library_id is not None:
            return self._index.schedules_of(which.library_id)
        return list(self._index.schedules)

    def _found(self, given: Collection[UUID], which: Which, workspace: str) -> list[KnownSchedule]:
        looked_at = (self._index.schedules.get(each) for each in given)
        return [known for known in looked_at if known and known.workspace == workspace and _is_meant(known, which)]

    async def _plan(
        self, meant: list[KnownSchedule], wanted: list[KnownSchedule], told: Told, context: CommandContext, *,
        dry_run: bool,
    ) -> Plan:  # fmt: skip
        named = sorted(known.state.name for known in wanted if isinstance(known.state, Existing))
        many = Many(matched=len(meant), changed=len(wanted), names=tuple(named[:NAMED]))
        answer = Answer(status=200, many=many)
        if dry_run:
            return Plan(answer=answer)
        appends = await asyncio.to_thread(self._appends, wanted, told, context.at)
        return Plan(answer=answer, appends=appends, not_before=context.at)

    def _appends(self, wanted: list[KnownSchedule], told: Told, at: datetime) -> list[Append]:
        return [known.append(editing.edit(told(known), known.state, at=at, tzdata=self._tzdata)) for known in wanted]


def _is_meant(known: KnownSchedule, which: Which) -> bool:
    state = known.state
    if not isinstance(state, Existing):
        return False
    text, said = which.text.casefold(), (state.name, state.description, state.target.library_name)
    return which.library_id in (None, state.target.library_id) and text in "\n".join(said).casefold()


def _may_be_paused(known: KnownSchedule, resume_at: datetime | None) -> bool:
    """Also again, when its pause would end before this one."""
    state = known.state
    if isinstance(state, Paused):
        return state.resume_at is not None and (resume_at is None or state.resume_at < resume_at)
    return isinstance(state, Enabled)
