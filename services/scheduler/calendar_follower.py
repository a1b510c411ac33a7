"""Brings the days of calendars to the schedules that keep copies of them: whoever's copy is older gets a new version.

Any number of replicas do so, each for its own partitions first: they append with the version they know, and Postgres
takes the first.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from uuid import UUID

import structlog

from linstock.cancellation import cancel
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import FutureInstant, Origin, VersionConflict
from linstock.messages.rules import CalendarDays
from linstock.messages.schedule import FollowCalendar
from services.scheduler import schedule
from services.scheduler.calendars import KnownCalendar
from services.scheduler.clock import PostgresClock
from services.scheduler.index import Index
from services.scheduler.known import KnownSchedule

logger = structlog.get_logger(__name__)

AT_ONCE = 100  # appends; group commit puts them together
AGAIN_S = 0.05
AFTER_ERROR_S = 0.5
PATIENCE_S = 4.0  # whoever holds the partition may be dead


class CalendarFollower:
    """From `start` to `stop`. What is behind stays on the list until it is told, or the index shows that it was."""

    def __init__(
        self,
        log: EventLog,
        index: Index,
        clock: PostgresClock,
        *,
        mine: Callable[[UUID], bool] = lambda _: True,
        tzdata: str,
    ) -> None:
        self._log = log
        self._index = index
        self._clock = clock
        self._mine = mine
        self._tzdata = tzdata
        self._behind: dict[UUID, float] = {}  # since when, in monotonic seconds
        self._found = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._index.on_schedule(lambda _, known: self._look(known.schedule_id))
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
        used = self._index.calendars.used_by(schedule_id)
        if used and any(self._index.calendars.newer_for(self._index.schedules[schedule_id])):
            self._note(schedule_id)
        else:
            self._behind.pop(schedule_id, None)

    def _note(self, schedule_id: UUID) -> None:
        self._behind.setdefault(schedule_id, time.monotonic())
        self._found.set()

    async def _run(self) -> None:
        while True:
            await self._found.wait()
            if not self._behind:
                self._found.clear()
                continue
            batch = self._batch()
            for schedule_id in batch:  # what comes up meanwhile puts it there again
                del self._behind[schedule_id]
            told = await asyncio.gather(*(self._tell(schedule_id) for schedule_id in batch))
            later = [schedule_id for schedule_id, done in zip(batch, told, strict=True) if not done]
            for schedule_id in later:
                self._note(schedule_id)
            if later or not batch:
                await asyncio.sleep(AGAIN_S)

    def _batch(self) -> list[UUID]:
        patient = time.monotonic() - PATIENCE_S
        wanted = (each for each, since in self._behind.items() if since <= patient or self._mine(each))
        return list(islice(wanted, AT_ONCE))

    async def _tell(self, schedule_id: UUID) -> bool:
        """False when that is to be tried again."""
        now, known = self._clock.now(), self._index.schedules[schedule_id]
        newer = next(self._index.calendars.newer_for(known), None)
        if newer is None:
            return True
        due = self._index.due.get(schedule_id)
        if now is None or (due is not None and due <= now):  # what is due fires under the days it was due under
            return False
        try:
            await self._append(known, *newer, now)
        except (VersionConflict, FutureInstant):  # another replica was faster, or a tick; or the clock was set back
            return False
        except Exception as error:  # Postgres is away
            logger.warning("A calendar can't reach a schedule", schedule_id=str(schedule_id), error=repr(error))
            await asyncio.sleep(AFTER_ERROR_S)
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
        await self._log.append([known.append(events)], origin, not_before=now)
