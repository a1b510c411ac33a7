"""When retention is said in a log, and that it is said once."""

import asyncio
from datetime import datetime, timedelta
from uuid import uuid4

import msgspec
import structlog.testing

from linstock import names
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.retention import Retention, RetentionClerk, decide, evolve
from linstock.messages.retention import RetentionApplied
from tests.support.diary import notes, origin
from tests.support.recorded import NOON
from tests.support.waiting import becomes

DAY = timedelta(days=1)
AGES_AGO = NOON - 400 * DAY


def test_nothing_is_said_while_nothing_is_old_enough() -> None:
    assert decide(Retention(), days=90, oldest=None, at=NOON) == []
    assert decide(Retention(), days=90, oldest=NOON - 90 * DAY, at=NOON) == []


def test_what_ended_before_the_policys_days_may_go() -> None:
    assert decide(Retention(), days=90, oldest=AGES_AGO, at=NOON) == [RetentionApplied(before=NOON - 90 * DAY, days=90)]


def test_it_is_said_at_most_once_a_day_also_when_the_policy_changes() -> None:
    [applied] = decide(Retention(), days=90, oldest=AGES_AGO, at=NOON)
    retention = evolve(Retention(), applied)
    assert decide(retention, days=30, oldest=AGES_AGO, at=NOON + DAY - timedelta(seconds=1)) == []
    [again] = decide(retention, days=30, oldest=AGES_AGO, at=NOON + DAY)
    assert again == RetentionApplied(before=NOON + DAY - 30 * DAY, days=30)


class World:
    """A log whose first event is a year old, and a clock."""

    def __init__(self) -> None:
        self.now = NOON
        self.log = MemoryLog(names.SCHEDULER, clock=lambda: NOON)

    async def begin(self) -> "World":
        old = msgspec.structs.replace(origin(), at=AGES_AGO)
        await self.log.append([notes(uuid4(), "old")], old)
        return self

    def clerk(self) -> RetentionClerk:
        return RetentionClerk(self.log, days=90, now=lambda: self.now)

    async def said(self) -> list[datetime]:
        recorded = await self.log.load(names.retention_of(names.SCHEDULER))
        return [msgspec.json.decode(each.data, type=RetentionApplied).before for each in recorded]


async def test_several_processes_say_it_once() -> None:
    world = await World().begin()
    await asyncio.gather(*(world.clerk().apply() for _ in range(5)))
    assert await world.said() == [NOON - 90 * DAY]


async def test_a_clock_far_ahead_of_postgress_says_nothing() -> None:
    world = await World().begin()
    world.now = NOON + 3650 * DAY
    with structlog.testing.capture_logs() as logs:
        await world.clerk().apply()
    assert await world.said() == []
    assert [line["log_level"] for line in logs] == ["warning"]


async def test_it_looks_at_the_start_and_a_log_that_is_away_is_no_end() -> None:
    world = await World().begin()
    failures = [ConnectionError("away")]

    def now() -> datetime:
        if failures:
            raise failures.pop()
        return NOON

    clerk = RetentionClerk(world.log, days=90, now=now, every_s=0.001)
    await clerk.start()
    await becomes(world.said, [NOON - 90 * DAY])
    await clerk.stop()
    await clerk.stop()
    assert failures == []
