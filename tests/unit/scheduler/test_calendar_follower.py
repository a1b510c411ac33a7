"""The follower of calendars against a log in memory and a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from linstock import names
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Append, Origin
from linstock.messages.calendar import CalendarChanged, CalendarDefined
from linstock.messages.message import Message
from linstock.messages.rules import CalendarDays, Rules
from linstock.messages.schedule import ScheduleChanged, TickFired
from services.scheduler import calendar_follower
from services.scheduler.calendar_follower import CalendarFollower
from services.scheduler.clock import PostgresClock
from services.scheduler.index import Index
from services.scheduler.known import SCHEDULE as SCHEDULES
from tests.support.schedules import JOB, NOON, SCHEDULE, defined, seconds
from tests.support.waiting import becomes

CALENDAR = names.calendar_of("acme", "holidays")
XMAS, EASTER = date(2026, 12, 25), date(2027, 3, 28)


class World:
    def __init__(self) -> None:
        self.time = NOON
        self.log = MemoryLog("scheduler", clock=lambda: self.time)
        self.asked = 0
        self._versions: dict[UUID, int] = {}
        self._stoppers: list[CalendarFollower | asyncio.Task[None]] = []

    async def read(self) -> datetime:
        return self.time

    async def say(self, aggregate: str, aggregate_id: UUID, event: Message) -> None:
        version = self._versions.get(aggregate_id, 0)
        append = Append(aggregate=aggregate, aggregate_id=aggregate_id, expected_version=version, events=[event])
        await self.log.append([append], Origin(workspace="acme", actor="ann", at=NOON, correlation_id=uuid4()))
        self._versions[aggregate_id] = version + 1

    async def calendars(self, *days: date) -> None:
        """A version of it for each day."""
        for number, day in enumerate(days):
            event = CalendarChanged if number else CalendarDefined
            said = event(calendar_id=CALENDAR, name="holidays", description="", days=(day,), at=NOON)
            await self.say("calendar", CALENDAR, said)

    async def schedule(self) -> None:
        """Due each minute, with the calendar's first version."""
        rules = Rules(calendars=(CalendarDays(name="holidays", version=1, days=(XMAS,)),))
        await self.say("schedule", SCHEDULE, replace(defined(cron="* * * * *"), rules=rules))

    async def follower(self, *, holds: bool = True) -> None:
        index, clock = Index(), PostgresClock(self.read, monotonic=lambda: 0.0)
        await clock.measure()
        for recorded in await self.log.read(0):
            index.apply(recorded)
        self._stoppers.append(asyncio.create_task(self._follow(index)))

        def mine(_: UUID) -> bool:
            self.asked += 1
            return holds

        follower = CalendarFollower(self.log, index, clock, mine=mine, tzdata="2026a")
        self._stoppers.append(follower)
        await follower.start()

    async def changes(self) -> list[ScheduleChanged]:
        events = [SCHEDULES.decode(each.data) for each in await self.log.load(SCHEDULE)]
        return [event for event in events if isinstance(event, ScheduleChanged)]

    async def followed(self) -> list[tuple[int, ...]]:
        """Which versions of the calendar each new version of the schedule has."""
        return [tuple(copy.version for copy in each.rules.calendars) for each in await self.changes() if each.rules]

    async def _follow(self, index: Index) -> None:
        while True:
            for recorded in await self.log.read(index.position):
                index.apply(recorded)
            await self.log.wait(index.position, timeout_s=1)

    async def stop(self) -> None:
        for each in self._stoppers:
            if isinstance(each, asyncio.Task):
                each.cancel()
            else:
                await each.stop()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.stop()


async def test_it_goes_straight_to_the_newest(world: World) -> None:
    await world.calendars(XMAS, EASTER, XMAS)
    await world.schedule()
    await world.follower()
    await becomes(world.followed, [(3,)])


async def test_what_is_due_is_decided_first(world: World) -> None:
    await world.calendars(XMAS, EASTER)
    await world.schedule()
    world.time = NOON + seconds(60)
    await world.follower()
    await becomes(lambda: world.asked > 3, expected=True)  # it has tried, and waits
    assert await world.changes() == []
    fired = TickFired(
        schedule_id=SCHEDULE, instant=world.time, job_id=JOB, verdict="fired", missed_count=0, version=1, tzdata="2026a"
    )
    await world.say("schedule", SCHEDULE, fired)
    await becomes(world.followed, [(2,)])
    [changed] = await world.changes()
    assert changed.cursor == world.time


async def test_of_several_replicas_one_is_faster(world: World) -> None:
    await world.calendars(XMAS, EASTER)
    await world.schedule()
    for _ in range(3):
        await world.follower()
    await becomes(world.followed, [(2,)])
    world._versions[SCHEDULE] += 1
    await world.say(
        "calendar", CALENDAR,
        CalendarChanged(calendar_id=CALENDAR, name="holidays", description="", days=(XMAS,), at=NOON),
    )  # fmt: skip
    await becomes(world.followed, [(2,), (3,)])


async def test_what_another_replica_should_do_and_does_not_is_done_here(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.calendars(XMAS, EASTER)
    await world.schedule()
    await world.follower(holds=False)
    await becomes(lambda: world.asked > 3, expected=True)
    assert await world.changes() == []
    monkeypatch.setattr(calendar_follower, "PATIENCE_S", 0.0)
    await becomes(world.followed, [(2,)])
