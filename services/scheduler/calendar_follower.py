"""Brings the days of calendars to the schedules that keep copies of them: whoever's copy is older gets a new version.

Every replica does so for every schedule: they race with the version they know, and Postgres takes the first.
"""

import asyncio
from datetime import datetime
from uuid import UUID

import structlog

from linstock.cancellation import cancel
from linstock.cron import InvalidCron
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Origin, VersionConflict
from linstock.messages.rules import CalendarDays
from linstock.messages.schedule import FollowCalendar
from services.scheduler import schedule, timing
from services.scheduler.calendars import KnownCalendar
from services.scheduler.clock import PostgresClock
from services.scheduler.index import Index
from services.scheduler.known import KnownSchedule

logger = structlog.get_logger(__name__)

AT_ONCE = 100  # appends; group commit puts them together
AGAIN_S = 0.05
AFTER_ERROR_S = 0.5


class CalendarFollower:
    """From `start` to `stop`. What is behind stays on the list until the index shows that it no longer is."""

    def __init__(self, log: EventLog, index: Index, clock: PostgresClock, *, tzdata: str) -> None:
        self._log = log
        self._index = index
        self._clock = clock
        self._tzdata = tzdata
        self._behind: dict[UUID, None] = {}
        self._found = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._index.on_schedule(self._look)
        self._index.on_calendar(self._look_at_users)
        for calendar_id in self._index.calendars.known:
            self._look_at_users(calendar_id)
        self._task = asyncio.create_task(self._run(), name="calendar-follower")

    async def stop(self) -> None:
        if self._task:
            await cancel(self._task)
            self._task = None

    def _look_at_users(self, calendar_id: UUID) -> None:
        for schedule_id in self._index.calendars.users_of(calendar_id):
            self._look(schedule_id)

    def _look(self, schedule_id: UUID) -> None:
        known = self._index.schedules[schedule_id]
        if any(self._index.calendars.newer_for(known)):
            self._behind[schedule_id] = None
            self._found.set()
        else:
            self._behind.pop(schedule_id, None)

    async def _run(self) -> None:
        while True:
            await self._found.wait()
            batch = list(self._behind)[:AT_ONCE]
            if not batch:
                self._found.clear()
                continue
            for schedule_id in batch:  # to the end of the list: one that can't be told now keeps nobody waiting
                self._behind[schedule_id] = self._behind.pop(schedule_id)
            told = await asyncio.gather(*(self._tell(schedule_id) for schedule_id in batch))
            # What was appended comes back through the index and takes itself off the list.
            await asyncio.sleep(AGAIN_S if all(told) else AFTER_ERROR_S)

    async def _tell(self, schedule_id: UUID) -> bool:
        """False while Postgres is away."""
        now = self._clock.now()
        known = self._index.schedules[schedule_id]
        newer = next(self._index.calendars.newer_for(known), None)
        if now is None or newer is None or _is_due(known, now):  # what is due fires under the days it was due under
            return True
        found, copy = newer
        try:
            await self._append(known, found, copy, now)
        except VersionConflict:
            return True  # another replica was faster, or a tick
        except Exception as error:
            logger.warning("A calendar can't reach a schedule", schedule_id=str(schedule_id), error=repr(error))
            return False
        return True

    async def _append(self, known: KnownSchedule, found: KnownCalendar, copy: CalendarDays, now: datetime) -> None:
        command = FollowCalendar(schedule_id=known.schedule_id, calendar=copy, at=now, tzdata=self._tzdata)
        events = schedule.decide(command, known.state)
        origin = Origin(
            workspace=known.workspace,
            actor=found.actor,
            at=now,
            correlation_id=found.correlation_id,
            causation_id=found.event_id,
            traceparent=found.traceparent,
        )
        await self._log.append([known.append(events)], origin)


def _is_due(known: KnownSchedule, now: datetime) -> bool:
    try:
        due = timing.upcoming(known.state, known.failures)
    except InvalidCron:  # it never fires
        return False
    return due is not None and due <= now
