"""Runs for instants that are past, because somebody asks for them.

Each instant's job has the id that its tick's would: what fired, or was made up for before, is there already and is left
out; should it come meanwhile, the append fails.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from linstock import names, recurrence
from linstock.messages.answer import Outcome
from linstock.messages.job import ScanRequested
from linstock.messages.schedule import ScheduleBackfilled
from linstock.messages.schedule_commands import BackfillSchedule
from services.scheduler.schedule.states import Existing

MOMENT = timedelta(microseconds=1)
TRIGGER = "Backfill"


class TooMany(Exception):
    """There are {count} instants in that time; at most {limit} are made up for at once."""

    def __init__(self, count: int, limit: int) -> None:
        super().__init__((self.__doc__ or "").format(count=f"{count:,}", limit=limit))
        self.count = count


def instants(command: BackfillSchedule, schedule: Existing) -> list[datetime]:
    """Those meant, whether they fired or not; windows in which nothing may fire don't matter. Raises TooMany,
    InvalidCron."""
    before = command.first - MOMENT
    found = recurrence.due_instants(schedule.timing, before, command.last, command.limit + 1)
    if len(found) > command.limit:
        span = recurrence.span(schedule.timing, before, command.last)
        raise TooMany(span.count if span else len(found), command.limit)
    return found


def job_of(schedule: Existing, instant: datetime) -> UUID:
    return names.job_of_tick(schedule.schedule_id, instant.isoformat())


def outcomes(schedule: Existing, meant: Sequence[datetime], there: Collection[UUID]) -> tuple[Outcome, ...]:
    """`there` are the jobs that exist already. What is not decided yet is left to its tick."""
    found = list[Outcome]()
    for instant in meant:
        job_id = job_of(schedule, instant)
        if job_id in there:
            found.append(Outcome(instant=instant, outcome="fired_already", run_id=job_id))
        elif instant > schedule.cursor:
            found.append(Outcome(instant=instant, outcome="undecided", run_id=None))
        else:
            found.append(Outcome(instant=instant, outcome="fires", run_id=job_id))
    return tuple(found)


def requests(schedule: Existing, found: Sequence[Outcome], at: datetime) -> list[ScanRequested]:
    """The oldest first. They wait for what is open, and for one another."""
    return [
        ScanRequested(
            job_id=each.run_id,
            schedule_id=schedule.schedule_id,
            instant=each.instant,
            triggered_by=TRIGGER,
            target=schedule.target,
            policy=schedule.policy,
            requested_at=at,
            scan_mode=schedule.scan_mode,
            include_subfolders=schedule.target.include_subfolders,
            waits=True,
        )
        for each in found
        if each.outcome == "fires" and each.run_id is not None
    ]


def backfilled(
    command: BackfillSchedule, schedule: Existing, asked: Sequence[ScanRequested], at: datetime, tzdata: str
) -> ScheduleBackfilled:
    return ScheduleBackfilled(
        schedule_id=schedule.schedule_id,
        at=at,
        first=command.first,
        last=command.last,
        instants=tuple(each.instant for each in asked if each.instant is not None),
        version=schedule.version,
        tzdata=tzdata,
    )
