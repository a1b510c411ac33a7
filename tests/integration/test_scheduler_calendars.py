"""Calendars on real servers: who has an older copy gets the newer one, once, whoever races and whatever was away."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from msgspec.structs import replace

from linstock import names
from linstock.bus.commands import CommandSender
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Append
from linstock.messages.answer import Answer
from linstock.messages.calendar import CalendarChanged, CalendarDefined, DeleteCalendar, PutCalendar
from linstock.messages.message import Message
from linstock.messages.rules import CalendarDays, Rules
from linstock.messages.schedule import ScheduleChanged, ScheduleDefined, SchedulePaused
from linstock.messages.schedule_commands import PauseSchedules, Which
from services.scheduler.index import Index
from services.scheduler.index_table import IndexTable
from services.scheduler.tail import Tail
from tests.support.scheduler import Rig, rig
from tests.support.schedules import defined

CALENDAR = names.calendar_of(names.DEFAULT_WORKSPACE, "holidays")
XMAS, EASTER = date(2026, 12, 25), date(2027, 3, 28)
AT = datetime(2026, 11, 1, tzinfo=UTC)
MANY = 60


async def define(world: Rig, *days: date) -> None:
    event = CalendarDefined(calendar_id=CALENDAR, name="holidays", description="", days=days, at=AT)
    await world.log.append([Append(aggregate="calendar", aggregate_id=CALENDAR, expected_version=0, events=[event])])


async def change(world: Rig, version: int, *days: date) -> None:
    event = CalendarChanged(calendar_id=CALENDAR, name="holidays", description="", days=days, at=AT)
    await world.log.append(
        [Append(aggregate="calendar", aggregate_id=CALENDAR, expected_version=version - 1, events=[event])]
    )


async def schedules(world: Rig, count: int, *days: date, cron: str = "0 2 * * *") -> list[UUID]:
    """With a copy of the calendar's first version."""
    copy = CalendarDays(name="holidays", version=1, days=days)
    now = await world.postgres_time()
    made = [
        replace(defined(library_id=uuid4(), cron=cron, cursor=now), rules=Rules(calendars=(copy,)))
        for _ in range(count)
    ]
    await world.log.append(
        [Append(aggregate="schedule", aggregate_id=e.schedule_id, expected_version=0, events=[e]) for e in made]
    )
    await world.log.wait_for(ScheduleDefined, count)
    return [event.schedule_id for event in made]


async def told(world: Rig, command: Message) -> Answer:
    sender = CommandSender(world.client)
    await sender.start()
    answer = await sender.send(
        names.SCHEDULER, names.DEFAULT_WORKSPACE, command, actor="ann", idempotency_key=str(uuid4()), wait_s=10
    )
    assert isinstance(answer, Answer)
    return answer


def copies(event: ScheduleChanged) -> list[tuple[int, tuple[date, ...]]]:
    assert event.rules
    return [(copy.version, copy.days) for copy in event.rules.calendars]


async def test_three_replicas_race_and_every_schedule_follows_once(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world:
        for _ in range(3):
            await world.scheduler()
        await define(world, XMAS)
        ids = await schedules(world, MANY, XMAS)
        answer = await told(world, PutCalendar(name="holidays", days=(EASTER, XMAS)))
        assert answer.status == 200
        changed = await world.log.wait_for(ScheduleChanged, MANY)
        assert {event.schedule_id for event in changed} == set(ids)
        assert {tuple(copies(event)) for event in changed} == {((2, (XMAS, EASTER)),)}
        recorded = [each for each in await world.log.recorded() if each.type == "linstock.schedule.changed.v1"]
        assert {each.actor for each in recorded} == {"ann"}
        [put] = [each for each in await world.log.recorded() if each.type == "linstock.calendar.changed.v1"]
        assert {each.causation_id for each in recorded} == {put.event_id}
        assert (await told(world, DeleteCalendar(name="holidays"))).code == "calendar-in-use"
        assert len(await world.log.of(ScheduleChanged)) == MANY


async def test_what_changed_while_nobody_was_there_is_followed_at_the_start(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world:
        first = await world.scheduler()
        await define(world, XMAS)
        [schedule_id] = await schedules(world, 1, XMAS)
        await world.log.wait_for(ScheduleDefined)
        await first.stop()  # its index is stored now
        await change(world, 2, EASTER)
        await change(world, 3, XMAS, EASTER)
        await world.scheduler()
        [changed] = await world.log.wait_for(ScheduleChanged)
        assert (changed.schedule_id, copies(changed)) == (schedule_id, [(3, (XMAS, EASTER))])


async def test_a_schedule_that_ticks_each_second_follows_too(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world:
        await world.scheduler()
        await define(world, XMAS)
        await schedules(world, 3, XMAS, cron="* * * * * *")
        await change(world, 2, EASTER)
        changed = await world.log.wait_for(ScheduleChanged, 3)
        assert all(event.version == 2 for event in changed)


async def test_stored_and_rebuilt_indexes_know_the_same_calendars(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world:
        replica = await world.scheduler()
        await define(world, XMAS)
        [schedule_id] = await schedules(world, 1, XMAS)
        await told(world, PutCalendar(name="fair", days=(EASTER,)))
        refused = await told(world, DeleteCalendar(name="holidays"))  # so its index has all that came before
        assert refused.status == 409
        await replica.stop()
        stored, rebuilt = await indexes(world.database_url)
        assert 0 < stored.position <= rebuilt.position
        assert stored.calendars.known == rebuilt.calendars.known
        assert len(stored.calendars.known) == 2
        for index in (stored, rebuilt):
            assert index.calendars.users_of(CALENDAR) == [schedule_id]


async def indexes(database_url: str) -> tuple[Index, Index]:
    """As it is stored, and as the log alone makes it."""
    log = await PostgresLog.open(names.SCHEDULER, database_url)
    pool: Any = await asyncpg.create_pool(database_url, min_size=0, max_size=2)
    try:
        table, stored, rebuilt = (
            IndexTable(pool, schema=names.SCHEDULER, epoch=await log.epoch(), tzdata="2026a"),
            Index(),
            Index(),
        )
        await table.load(stored)
        await table.forget()
        tail = Tail(log, rebuilt, table)
        await tail.start()
        await tail.stop()
    finally:
        await pool.close()
        await log.close()
    return stored, rebuilt


async def test_thousands_are_paused_in_one_insert_while_some_of_them_tick(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world:
        for _ in range(2):
            await world.scheduler()
        await schedules(world, 1_000, XMAS)
        await schedules(world, 3, XMAS, cron="* * * * * *")
        answer = await told(world, PauseSchedules(which=Which(everything=True), reason="power cut"))
        assert answer.many
        assert (answer.status, answer.many.matched, answer.many.changed) == (200, 1_003, 1_003)
        paused = [each for each in await world.log.recorded() if each.type == "linstock.schedule.paused.v1"]
        assert len(paused) == 1_003
        positions = [each.position for each in paused]
        assert positions == list(range(positions[0], positions[0] + 1_003))
        again = await told(world, PauseSchedules(which=Which(everything=True)))
        assert again.many
        assert (again.many.matched, again.many.changed) == (1_003, 0)
        assert len(await world.log.of(SchedulePaused)) == 1_003
