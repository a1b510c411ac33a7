"""No version check. Two schedulers have decided on the same instants when both append."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from linstock import names
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Append, Origin, Recorded, VersionConflict
from services.scheduler.clock import ClockReader, PostgresClock
from services.scheduler.index import Index
from services.scheduler.ticker import Ticker
from tests.faults import oracles
from tests.faults.controls.place import Place, wrong
from tests.faults.history import History
from tests.support.scheduler import origin
from tests.support.schedules import SCHEDULE, defined


class Racing:
    """A log in which two callers always meet before either appends."""

    def __init__(self, log: PostgresLog, *, checked: bool) -> None:
        self._log = log
        self._checked = checked
        self._both = asyncio.Barrier(2)
        self._turn = asyncio.Lock()

    async def append(
        self, appends: Sequence[Append], origin: Origin, *, not_before: datetime | None = None
    ) -> tuple[Recorded, ...]:
        await self._both.wait()
        if self._checked:
            return await self._log.append(appends, origin, not_before=not_before)
        async with self._turn:
            careless = [await self._behind_what_is_there(append) for append in appends]
            return await self._log.append(careless, origin, not_before=not_before)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def _behind_what_is_there(self, append: Append) -> Append:
        return replace(append, expected_version=len(await self._log.load(append.aggregate_id)))


async def scenario(place: Place, sabotaged: bool) -> str:
    log = await PostgresLog.open(names.SCHEDULER, place.database_url)
    reader = ClockReader(place.database_url)
    try:
        clock = PostgresClock(reader.read)
        await clock.measure()
        await _define(log, clock.require())
        racing = Racing(log, checked=not sabotaged)
        first, second = await _index(log), await _index(log)
        await asyncio.gather(_fire(racing, first, clock), _fire(racing, second, clock))
        history = History({names.SCHEDULER: await log.read(0)})
        ticks, jobs = oracles.ticks(history, SCHEDULE), oracles.jobs(history)
        return wrong(ticks_doubled=ticks.doubled, jobs_doubled=jobs.doubled, ticks_missing=ticks.missing)
    finally:
        await reader.close()
        await log.close()


async def _define(log: PostgresLog, now: datetime) -> None:
    event = defined(cron="* * * * * *", cursor=now - timedelta(seconds=3))
    append = Append(aggregate="schedule", aggregate_id=SCHEDULE, expected_version=0, events=[event])
    await log.append([append], origin())


async def _index(log: PostgresLog) -> Index:
    index = Index()
    for recorded in await log.read(0):
        index.apply(recorded)
    return index


async def _fire(log: Any, index: Index, clock: PostgresClock) -> None:
    """One decision on what is due, as a replica that knows no other makes it."""
    try:
        await Ticker(log, index, clock, tzdata="control")._tick(SCHEDULE)
    except VersionConflict:
        return  # the other was first: exactly what the check is for
