"""Backfills: which of the instants have a job already is asked of the log, and the append settles races."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from linstock.bus.inbox import CommandContext, Plan, Refused
from linstock.cron import InvalidCron
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Append
from linstock.messages.answer import Answer
from linstock.messages.schedule_commands import BackfillSchedule
from services.scheduler import limits, owned
from services.scheduler.index import Index
from services.scheduler.known import JOB
from services.scheduler.schedule import Existing, backfilling
from services.scheduler.tzdata import tzdata_version


class BackfillPlanner:
    """Plans on one log. Whoever loses against a tick, an edit or another backfill plans again."""

    def __init__(self, log: EventLog, index: Index) -> None:
        self._log = log
        self._index = index
        self._tzdata = tzdata_version()

    async def plan(self, command: BackfillSchedule, context: CommandContext) -> Plan:
        """Raises Refused."""
        limits.check_backfill(command, context.at)
        loaded = await owned.load(self._log, self._index, command.schedule_id, context.workspace)
        if loaded is None or not isinstance(loaded.state, Existing):
            raise Refused(404, "scheduled-job-not-found", f"There is no scheduled job {command.schedule_id}.")
        schedule = loaded.state
        meant = _meant(command, schedule)
        found = backfilling.outcomes(schedule, meant, await self._there(schedule, meant))
        answer = Answer(status=200, id=command.schedule_id, instants=found)
        asked = backfilling.requests(schedule, found, context.at)
        if command.dry_run or not asked:
            return Plan(answer=answer)
        event = backfilling.backfilled(command, schedule, asked, context.at, self._tzdata)
        jobs = [
            Append(aggregate=JOB.name, aggregate_id=each.job_id, expected_version=0, events=[each]) for each in asked
        ]
        return Plan(answer=answer, appends=[*jobs, loaded.append([event])])

    async def _there(self, schedule: Existing, meant: Sequence[datetime]) -> set[UUID]:
        """Which of their jobs exist, ended or not."""
        job_ids = [backfilling.job_of(schedule, instant) for instant in meant]
        histories = await asyncio.gather(*(self._log.load(job_id) for job_id in job_ids))
        return {job_id for job_id, history in zip(job_ids, histories, strict=True) if history}


def _meant(command: BackfillSchedule, schedule: Existing) -> list[datetime]:
    try:
        return backfilling.instants(command, schedule)
    except backfilling.TooMany as error:
        raise limits.invalid("from", str(error)) from error
    except InvalidCron as error:
        raise Refused(409, "schedule-unreadable", str(error)) from error
