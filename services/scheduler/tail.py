"""Feeds the index from the scheduler's own log, and stores it now and then."""

import asyncio
import time
from uuid import UUID

import structlog

from linstock.cancellation import cancel
from linstock.eventlog.log import EventLog
from services.scheduler.index import Index
from services.scheduler.index_table import IndexTable, Snapshot
from services.scheduler.known import KnownSchedule

logger = structlog.get_logger(__name__)

SAVE_EVERY_S = 5.0
WAIT_S = 5.0
PAUSE_S = 0.5
RELAY_FIRST_S = 0.01  # what was just appended goes out before we look at it ourselves: others wait for it
BATCH = 500
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
        self._task: asyncio.Task[None] | None = None
        self._saving: asyncio.Task[None] | None = None
        self._problem: str | None = "the log was not read yet"

    async def start(self) -> None:
        """Raises what Postgres raises."""
        self._index.on_schedule(self._changed)
        self._index.on_job(lambda job_id: self._jobs.add(job_id))
        await self._table.load(self._index)
        while await self._read():  # each read waits for Postgres, so a long log does not stall the probes
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
        while True:
            try:
                if not await self._read() and await self._log.wait(self._index.position, timeout_s=WAIT_S):
                    await asyncio.sleep(RELAY_FIRST_S)
                self._problem = None
            except Exception as error:  # Postgres is away: nothing is decided meanwhile, the clock sees to that
                if self._problem is None:  # once, not at each attempt
                    logger.warning("The log can't be read", error=repr(error))
                self._problem = "the log can't be read"
                await asyncio.sleep(PAUSE_S)
            if time.monotonic() - self._saved_s >= self._save_every_s and (self._schedules or self._jobs):
                self._save_meanwhile()

    async def _read(self) -> bool:
        """Apply the next batch; whether there was any."""
        batch = await self._log.read(self._index.position, limit=BATCH)
        for recorded in batch:
            self._index.apply(recorded)
        return bool(batch)

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
        try:
            await self._table.save(Snapshot.of(self._index, schedules, jobs))
        except Exception as error:  # the rows only make the next start faster
            logger.warning("The index can't be stored", error=str(error) or type(error).__name__)
            self._schedules |= schedules
            self._jobs |= jobs
