"""Feeds the index from the scheduler's own log, and stores it now and then."""

import asyncio
import time
from uuid import UUID

import structlog

from linstock.cancellation import cancel
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Recorded
from linstock.messages.schedule import TickFired
from services.scheduler.index import Index
from services.scheduler.index_table import IndexTable, Snapshot
from services.scheduler.known import KnownSchedule

logger = structlog.get_logger(__name__)

SAVE_EVERY_S = 5.0
WAIT_S = 5.0
PAUSE_S = 0.5
RELAY_FIRST_S = 0.03  # a burst of ticks goes out before we look at it ourselves: others wait for it; jobs wait for us
BATCH = 500
APPLIED_AT_ONCE = 16  # half a millisecond: then the relay has its turn, which others wait for; more are a burst
FIRED = TickFired.__struct_config__.tag
SAVED_FIRST = 10_000  # changes; a start that found more of them stores them before it goes on


class Tail:
    """`start` returns when the index has all that the log held at that moment."""

    def __init__(self, log: EventLog, index: Index, table: IndexTable, *, save_every_s: float = SAVE_EVERY_S) -> None:
        self._log = log
        self._index = index
        self._table = table
        self._save_every_s = save_every_s
        self._saved_s = 0.0
        self._schedules: set[UUID] = set()
        self._jobs: set[UUID] = set()
        self._calendars: set[UUID] = set()
        self._hints: set[UUID] = set()  # of libraries
        self._task: asyncio.Task[None] | None = None
        self._saving: asyncio.Task[None] | None = None
        self._problem: str | None = "the log was not read yet"

    async def start(self) -> None:
        """Raises what Postgres raises."""
        self._index.on_schedule(self._changed)
        self._index.on_job(lambda job_id: self._jobs.add(job_id))
        self._index.on_calendar(lambda calendar_id: self._calendars.add(calendar_id))
        self._index.on_hints(lambda library_id: self._hints.add(library_id))
        await self._table.load(self._index)
        while await self._read(BATCH):  # each read waits for Postgres, so a long log does not stall the probes
            pass
        if len(self._schedules) + len(self._jobs) > SAVED_FIRST:
            await self._save()
        self._problem = None
        self._task = asyncio.create_task(self._follow(), name="scheduler-tail")

    async def stop(self) -> None:
        if self._task:
            await cancel(self._task)
            self._task = None
            if self._saving:
                await self._saving
            await self._save()

    async def problem(self) -> str | None:
        """A sentence for readiness."""
        return self._problem

    async def _follow(self) -> None:
        self._saved_s = time.monotonic()
        limit = APPLIED_AT_ONCE
        while True:
            try:
                read = await self._read(limit)
                if len(read) < limit:
                    limit = APPLIED_AT_ONCE
                    await self._log.wait(self._index.position, timeout_s=WAIT_S)
                elif limit < BATCH:
                    limit = BATCH
                    if any(recorded.type == FIRED for recorded in read):
                        await asyncio.sleep(RELAY_FIRST_S)
                self._problem = None
            except Exception as error:  # Postgres is away: nothing is decided meanwhile, the clock sees to that
                if self._problem is None:  # once, not at each attempt
                    logger.warning("The log can't be read", error=repr(error))
                self._problem = "the log can't be read"
                await asyncio.sleep(PAUSE_S)
            if time.monotonic() - self._saved_s >= self._save_every_s and self._unsaved():
                self._save_meanwhile()

    def _unsaved(self) -> bool:
        return bool(self._schedules or self._jobs or self._calendars or self._hints)

    async def _read(self, limit: int) -> list[Recorded]:
        """Apply the next batch."""
        batch = await self._log.read(self._index.position, limit=limit)
        for first in range(0, len(batch), APPLIED_AT_ONCE):
            for recorded in batch[first : first + APPLIED_AT_ONCE]:
                self._index.apply(recorded)
            await asyncio.sleep(0)
        return batch

    def _changed(self, _: KnownSchedule | None, known: KnownSchedule) -> None:
        self._schedules.add(known.schedule_id)

    def _save_meanwhile(self) -> None:
        """The index is fed on: ticks wait for it."""
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save(), name="scheduler-index")

    async def _save(self) -> None:
        self._saved_s = time.monotonic()
        schedules, self._schedules = self._schedules, set()
        jobs, self._jobs = self._jobs, set()
        calendars, self._calendars = self._calendars, set()
        hints, self._hints = self._hints, set()
        try:
            await self._table.save(Snapshot.of(self._index, schedules, jobs, calendars, hints))
        except Exception as error:  # the rows only make the next start faster
            logger.warning("The index can't be stored", error=str(error) or type(error).__name__)
            self._schedules |= schedules
            self._jobs |= jobs
            self._calendars |= calendars
            self._hints |= hints
