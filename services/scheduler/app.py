"""Wires the scheduler: its log, clock and index, and everything that decides on them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import asyncpg
from msgspec import Struct

from linstock import names
from linstock.bus.inbox import CommandInbox
from linstock.bus.reactions import Reactions
from linstock.eventlog.log import EventLog
from linstock.lifecycle import Service
from linstock.messages.work import SignOfLife
from linstock.migrations import migrate
from linstock.owner import Owner
from linstock.probes import Vitals
from linstock.settings import Settings
from services.scheduler import metrics
from services.scheduler.calendar_follower import CalendarFollower
from services.scheduler.claims import Claims
from services.scheduler.clock import ClockReader, PostgresClock
from services.scheduler.commands import SchedulerCommand, SchedulerPlanner
from services.scheduler.dispatcher import AGAIN_AFTER_S, Dispatcher
from services.scheduler.hinting import Hinting
from services.scheduler.hints import Patience
from services.scheduler.index import Index
from services.scheduler.index_table import IndexTable
from services.scheduler.leases import LEASE_TIMEOUT_S, LeaseWatch
from services.scheduler.parents import Parents
from services.scheduler.partitions import Partitions
from services.scheduler.queues import Queues
from services.scheduler.reactions import Reactor
from services.scheduler.reports import Reports
from services.scheduler.signs import Signs
from services.scheduler.stops import Stops
from services.scheduler.tail import Tail
from services.scheduler.ticker import Ticker
from services.scheduler.tzdata import tzdata_version
from services.scheduler.verdicts import Verdicts

MIGRATIONS = Path(__file__).parent / "migrations"
PUT_TIMEOUT_S = 2.0
QUERY_TIMEOUT_S = 2.0


Stopper = Callable[[], Awaitable[None]]


class Part(Protocol):
    """What starts and stops with the service, in order and in reverse."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class Limits(Struct, frozen=True, kw_only=True):
    """How long it waits for what. Shorter ones are for tests."""

    lease_timeout_s: float = LEASE_TIMEOUT_S
    again_after_s: float = AGAIN_AFTER_S
    patience: Patience = Patience()


def build(settings: Settings, vitals: Vitals) -> Service:
    return SchedulerService(settings, vitals)


class SchedulerService:
    """Any number may run on one log: they race, and Postgres decides."""

    def __init__(self, settings: Settings, vitals: Vitals, *, limits: Limits | None = None) -> None:
        self._settings = settings
        self._vitals = vitals
        self._limits = limits or Limits()
        self._owner = Owner(names.SCHEDULER, settings, vitals)
        self._stoppers: list[Stopper] = []

    async def start(self) -> None:
        limits = self._limits
        self._stoppers.append(self._owner.stop)
        log = await self._owner.open()
        clock = await self._clock()
        pool = await self._pool()
        index, tzdata = Index(), tzdata_version()
        tail = Tail(log, index, IndexTable(pool, schema=names.SCHEDULER, epoch=await log.epoch(), tzdata=tzdata))
        partitions = Partitions(pool, schema=names.SCHEDULER)
        await self._begin(tail)
        client, signs, verdicts = self._owner.client, Signs(timeout_s=limits.lease_timeout_s), Verdicts(log, index)
        reports = Reports(client, Claims(verdicts, clock, index))
        disk = self._owner.disk
        dispatcher = Dispatcher(log, index, clock, signs, self._put, disk=disk, again_after_s=limits.again_after_s)
        stops, queues = Stops(client, index, log), Queues(client)
        self._stoppers.append(queues.stop)

        def on_sign(sign: SignOfLife) -> None:
            queues.hear(sign)
            stops.hear(sign)
            dispatcher.wake()

        leases = LeaseWatch(
            client,
            index,
            clock,
            verdicts,
            signs,
            drained=reports.drained,
            on_sign=on_sign,
            timeout_s=limits.lease_timeout_s,
        )
        self._subscribe(log, index, clock, verdicts)
        metrics.OPEN_JOBS.set_function(lambda: len(index.jobs))
        self._vitals.check("clock", clock.problem)
        self._vitals.check("index", tail.problem)
        ticker = Ticker(log, index, clock, mine=partitions.mine, disk=disk, tzdata=tzdata)
        partitions.on_change(ticker.look)
        self._vitals.check("ticks", ticker.problem)
        await self._owner.start(now=clock.require)
        follower = CalendarFollower(log, index, clock, mine=partitions.mine, tzdata=tzdata)
        hinting = Hinting(log, index, clock, disk=disk, patience=limits.patience)
        parents = Parents(log, index, clock, verdicts)
        for part in (stops, reports, leases, dispatcher, parents, partitions, ticker, follower, hinting):
            await self._begin(part)

    async def stop(self) -> None:
        while self._stoppers:
            await self._stoppers.pop()()

    async def _begin(self, part: Part) -> None:
        self._stoppers.append(part.stop)
        await part.start()

    async def _clock(self) -> PostgresClock:
        reader = ClockReader(self._settings.database_url)
        self._stoppers.append(reader.close)
        clock = PostgresClock(reader.read)
        await self._begin(clock)
        return clock

    async def _pool(self) -> asyncpg.Pool:
        """The service's own tables."""
        pool = await asyncpg.create_pool(
            self._settings.database_url,
            min_size=0,
            max_size=2,
            timeout=QUERY_TIMEOUT_S,
            command_timeout=QUERY_TIMEOUT_S,
        )
        self._stoppers.append(_closing(pool))
        await self._migrate()
        return pool

    async def _migrate(self) -> None:
        connection = await asyncpg.connect(self._settings.database_url)
        try:
            await migrate(connection, names.SCHEDULER, MIGRATIONS)
        finally:
            await connection.close()

    def _subscribe(self, log: EventLog, index: Index, clock: PostgresClock, verdicts: Verdicts) -> None:
        broker = self._owner.broker
        CommandInbox(
            broker,
            log=log,
            service=names.SCHEDULER,
            commands=SchedulerCommand,
            plan=SchedulerPlanner(log, index).plan,
            clock=clock.require,
            appended=index.foretell_requests,
        )
        Reactions(broker, service=names.SCHEDULER, react=Reactor(log, index, clock, verdicts).react)

    async def _put(self, subject: str, body: bytes, headers: dict[str, str]) -> None:
        js = self._owner.client.jetstream()
        await js.publish(subject, body, timeout=PUT_TIMEOUT_S, stream=names.WORK, headers=headers)


def _closing(pool: asyncpg.Pool) -> Stopper:
    """By now nothing of worth is under way, and Postgres may be away: closing politely could wait for ever."""

    async def close() -> None:
        pool.terminate()

    return close
