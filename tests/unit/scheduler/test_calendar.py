"""Calendars: what they are told, what schedules with copies of them do, and how the copies follow."""

from datetime import UTC, date, datetime, timedelta
from functools import reduce
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from linstock import names, recurrence
from linstock.bus.inbox import CommandContext, Refused
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Append, Origin
from linstock.messages.calendar import (
    CalendarChanged,
    CalendarDefined,
    CalendarDeleted,
    CalendarEvent,
    DeleteCalendar,
    PutCalendar,
)
from linstock.messages.rules import CalendarDays, Rules, Timing, Window
from linstock.messages.schedule import FollowCalendar, ScheduleChanged, ScheduleEvent, TickFired, TicksSkipped
from linstock.messages.schedule_commands import ChangeSchedule, DisableSchedule
from services.scheduler import calendar, schedule, timing
from services.scheduler.calendar import Calendar, Defined, Delete, Deleted, Put
from services.scheduler.calendar_edits import CalendarPlanner
from services.scheduler.calendars import used_by
from services.scheduler.edits import EditPlanner
from services.scheduler.index import Index
from services.scheduler.schedule import Enabled, Existing, Schedule, editing
from services.scheduler.shelf import pack
from tests.support.schedules import NOON, SCHEDULE, defined, seconds

CALENDAR = names.calendar_of("acme", "holidays")
EASTER, LATER = date(2026, 4, 5), date(2026, 4, 6)
HOUR = 3600


def put(*days: date, description: str = "") -> Put:
    return Put(CALENDAR, "holidays", description, days, NOON)


def told(*commands: Put | Delete) -> list[CalendarEvent]:
    events, state = list[CalendarEvent](), calendar.initial()
    for command in commands:
        decided = calendar.decide(command, state)
        state = reduce(calendar.evolve, decided, state)
        events += decided
    return events


def copy(*days: date, version: int = 1, name: str = "holidays") -> CalendarDays:
    return CalendarDays(name=name, version=version, days=days)


def made(rules: Rules, *, cron: str = "0 * * * *", zone: str = "UTC", cursor: datetime = NOON) -> Schedule:
    event = replace(defined(cron=cron, zone=zone, cursor=cursor), rules=rules)
    return schedule.evolve(schedule.initial(), event)


def test_a_calendar_is_defined_changed_deleted_and_defined_again() -> None:
    events = told(Delete(NOON), put(EASTER), put(EASTER), put(LATER), Delete(NOON), Delete(NOON), put(EASTER))
    kinds = [CalendarDefined, CalendarChanged, CalendarDeleted, CalendarDefined]
    assert [type(event) for event in events] == kinds
    states: list[Calendar] = [reduce(calendar.evolve, events[:count], calendar.initial()) for count in range(5)]
    assert [calendar.version_of(state) for state in states] == [0, 1, 2, 3, 4]
    assert states[3] == Deleted(version=3)
    assert isinstance(states[4], Defined)
    assert states[4].copy() == copy(EASTER, version=4)


def test_another_description_is_a_change_but_leaves_the_days_what_they_were() -> None:
    events = told(put(EASTER), put(EASTER, description="Public"), put(LATER, description="Public"), put(EASTER))
    states = [reduce(calendar.evolve, events[:count], calendar.initial()) for count in range(1, 5)]
    copies = [state.copy() for state in states if isinstance(state, Defined)]
    assert copies == [copy(EASTER), copy(EASTER), copy(LATER, version=3), copy(EASTER, version=4)]


def test_nothing_fires_on_its_days_and_the_range_names_it() -> None:
    today = NOON.date()
    state = made(Rules(calendars=(copy(today),)))
    assert isinstance(state, Enabled)
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    assert timing.upcoming(state) == midnight
    tick = timing.proposal(state, midnight, busy=None, tzdata="2026a")
    assert tick
    skipped, fired = schedule.decide(tick, state)
    assert isinstance(skipped, TicksSkipped)
    assert isinstance(fired, TickFired)
    assert (skipped.count, skipped.reason, skipped.calendar) == (11, "outside_window", "holidays")
    assert fired.instant == midnight


def test_two_calendars_are_two_ranges_and_windows_name_none() -> None:
    first, second = NOON.date(), NOON.date() + timedelta(days=1)
    window = Window(first=datetime(2026, 3, 4, tzinfo=UTC), last=datetime(2026, 3, 4, 23, tzinfo=UTC))
    state = made(Rules(calendars=(copy(first), copy(second, name="fair")), excluded=(window,)))
    assert isinstance(state, Enabled)
    tick = timing.proposal(state, datetime(2026, 3, 5, tzinfo=UTC), busy=None, tzdata="2026a")
    assert tick
    events = schedule.decide(tick, state)
    ranges = [(each.count, each.calendar) for each in events if isinstance(each, TicksSkipped)]
    assert ranges == [(11, "holidays"), (24, "fair"), (24, "")]


def test_the_days_are_those_of_the_schedule_s_own_zone() -> None:
    rules = Rules(calendars=(copy(EASTER),))
    for zone, hour in (("Europe/Berlin", 22), ("America/New_York", 4)):
        off = datetime(2026, 4, 5, hour, tzinfo=UTC) if hour == 4 else datetime(2026, 4, 4, 22, tzinfo=UTC)
        timed = Timing(expression="@every 60s", zone=zone)
        assert recurrence.outside(timed, rules, off - timedelta(seconds=1)) is None
        outside = recurrence.outside(timed, rules, off)
        assert outside
        assert outside == recurrence.Outside(off + timedelta(days=1) - recurrence.MOMENT, "holidays")
    sydney = Timing(expression="0 2 * * *", zone="Australia/Sydney")  # clocks go back at 03:00 on that day: 25 hours
    found = recurrence.first_inside(sydney, rules, datetime(2026, 4, 4, tzinfo=UTC))
    assert found == datetime(2026, 4, 5, 16, tzinfo=UTC)


def follow(new: CalendarDays, second: float) -> FollowCalendar:
    return FollowCalendar(schedule_id=SCHEDULE, calendar=new, at=NOON + seconds(second), tzdata="2026a")


def test_only_a_newer_copy_counts() -> None:
    state = made(Rules(calendars=(copy(EASTER, version=2),)))
    for stale in (copy(LATER, version=1), copy(LATER, version=2), copy(LATER, version=3, name="fair")):
        assert schedule.decide(follow(stale, HOUR), state) == []
    assert schedule.decide(follow(copy(LATER), 0), made(Rules())) == []
    assert schedule.decide(follow(copy(LATER), 0), schedule.initial()) == []


def test_a_newer_copy_is_a_new_version_and_what_is_past_stays_under_the_old_days() -> None:
    today = NOON.date()
    state = made(Rules(calendars=(copy(today, name="fair"), copy(EASTER))))
    skipped, changed = schedule.decide(follow(copy(LATER, name="fair", version=2), 2 * HOUR), state)
    assert isinstance(skipped, TicksSkipped)
    assert isinstance(changed, ScheduleChanged)
    assert (skipped.count, skipped.reason, skipped.calendar) == (2, "outside_window", "fair")
    assert (changed.version, changed.cursor) == (2, NOON + seconds(2 * HOUR))
    after = schedule.evolve(schedule.evolve(state, skipped), changed)
    assert isinstance(after, Enabled)
    assert after.rules.calendars == (copy(LATER, name="fair", version=2), copy(EASTER))
    assert timing.upcoming(after) == NOON + seconds(3 * HOUR)


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from([EASTER, LATER])), max_size=8), st.booleans())
def test_in_whatever_order_copies_arrive_the_newest_days_stay(heard: list[tuple[int, date]], off: bool) -> None:
    days = dict(heard)
    state: Schedule = made(Rules(calendars=(copy(EASTER, version=1),)))
    if off:
        disabled = editing.edit(DisableSchedule(schedule_id=SCHEDULE), state, at=NOON, tzdata="2026a")
        state = reduce(schedule.evolve, disabled, state)
    for version, _ in heard:
        events = schedule.decide(follow(copy(days[version], version=version), 0), state)
        state = reduce(schedule.evolve, events, state)
        assert schedule.decide(follow(copy(days[version], version=version), 0), state) == []
    newest = max((version for version in days if version > 1), default=None)
    assert isinstance(state, Existing)
    assert state.rules.calendars[0].days == ((days[newest],) if newest else (EASTER,))


class World:
    """Planners on a log in memory, and an index that has read all of it."""

    def __init__(self) -> None:
        self.log, self.index = MemoryLog("scheduler"), Index()
        self.calendars = CalendarPlanner(self.log, self.index)
        self.edits = EditPlanner(self.log, self.index)

    def context(self) -> CommandContext:
        return CommandContext(command_id=uuid4(), workspace="acme", actor="ann", at=NOON)

    async def add(self, *appends: Append) -> None:
        await self.log.append(appends, Origin(workspace="acme", actor="ann", at=NOON, correlation_id=uuid4()))
        for recorded in await self.log.read(self.index.position):
            self.index.apply(recorded)

    async def put(self, *days: date, name: str = "holidays", if_versions: tuple[int, ...] = ()) -> int:
        plan = await self.calendars.put(PutCalendar(name=name, days=days, if_versions=if_versions), self.context())
        await self.add(*plan.appends)
        return plan.answer.status

    async def schedule(self) -> None:
        event = defined(cursor=NOON)
        await self.add(Append(aggregate="schedule", aggregate_id=SCHEDULE, expected_version=0, events=[event]))

    async def change(self, *calendars: str) -> list[ScheduleEvent]:
        plan = await self.edits.edit(ChangeSchedule(schedule_id=SCHEDULE, calendars=calendars), self.context())
        await self.add(*plan.appends)
        return [event for append in plan.appends for event in append.events]  # type: ignore[misc]

    async def delete(self, name: str = "holidays") -> None:
        plan = await self.calendars.delete(DeleteCalendar(name=name), self.context())
        await self.add(*plan.appends)


async def test_days_are_kept_sorted_and_once() -> None:
    world = World()
    assert await world.put(LATER, EASTER, LATER) == 201
    assert await world.put(EASTER, LATER) == 200
    [known] = world.index.calendars.known.values()
    assert isinstance(known.state, Defined)
    assert known.state.copy() == copy(EASTER, LATER)


@pytest.mark.parametrize("name", ["", "Holidays", "a b", "-a", "a-", "a--b", "a/b", "ä", "x" * 61])
async def test_a_name_is_a_slug(name: str) -> None:
    with pytest.raises(Refused) as refused:
        await World().put(EASTER, name=name)
    assert (refused.value.answer.status, refused.value.answer.field) == (422, "name")


async def test_days_are_few_and_of_our_times() -> None:
    many = [EASTER + timedelta(days=count) for count in range(1001)]
    for days, field in ((many, "days"), ([EASTER, date(1969, 12, 31)], "days/1"), ([date(3000, 1, 1)], "days/0")):
        with pytest.raises(Refused) as refused:
            await World().put(*days)
        assert refused.value.answer.field == field
    assert await World().put(*many[:1000]) == 201


async def test_a_schedule_takes_a_copy_by_name() -> None:
    world = World()
    await world.put(EASTER)
    await world.schedule()
    with pytest.raises(Refused) as refused:
        await world.change("holidays", "fair")
    assert (refused.value.answer.field, refused.value.answer.detail) == ("calendars/1", "there is no calendar 'fair'")
    [changed] = await world.change("holidays")
    assert isinstance(changed, ScheduleChanged)
    assert changed.rules
    assert changed.rules.calendars == (copy(EASTER),)
    assert await world.change("holidays") == []
    for wrong in (("holidays", "holidays"), tuple(f"c{number}" for number in range(11))):
        with pytest.raises(Refused):
            await world.change(*wrong)


async def test_a_calendar_that_is_used_stays() -> None:
    world = World()
    with pytest.raises(Refused) as refused:
        await world.delete()
    assert refused.value.answer.status == 404
    await world.put(EASTER)
    await world.schedule()
    await world.change("holidays")
    with pytest.raises(Refused) as refused:
        await world.delete()
    assert (refused.value.answer.status, refused.value.answer.detail[:19]) == (409, "1 schedule uses it:")
    await world.change()
    await world.delete()
    await world.delete()
    with pytest.raises(Refused):
        await world.change("holidays")
    with pytest.raises(Refused) as refused:
        await world.put(EASTER, if_versions=(1,))
    assert refused.value.answer.status == 412
    assert await world.put(EASTER) == 201
    assert await world.put(LATER, if_versions=(3,)) == 200


async def test_the_index_knows_who_uses_what() -> None:
    world = World()
    await world.put(EASTER)
    await world.put(EASTER, name="fair")
    await world.schedule()
    holidays, fair = CALENDAR, names.calendar_of("acme", "fair")
    seen = []
    for calendars in (("holidays",), ("fair", "holidays"), ("fair",), ()):
        await world.change(*calendars)
        seen.append((world.index.calendars.users_of(holidays), world.index.calendars.users_of(fair)))
    assert seen == [([SCHEDULE], []), ([SCHEDULE], [SCHEDULE]), ([], [SCHEDULE]), ([], [])]
    await world.change("holidays")
    other = replace(defined(library_id=uuid4()), rules=Rules(calendars=(copy(EASTER),)))
    await world.add(Append(aggregate="schedule", aggregate_id=other.schedule_id, expected_version=0, events=[other]))
    kept = [
        each.state.rules.calendars[0] for each in world.index.schedules.values() if isinstance(each.state, Existing)
    ]
    assert len(kept) == 2
    assert kept[0] is kept[1]
    restored = Index()
    restored.restore(world.index.position, None, [], list(world.index.calendars.known.values()))
    for each in world.index.schedules.values():
        restored.shelve(each.schedule_id, pack(each), None, None, used_by(each))
    assert restored.calendars.known == world.index.calendars.known
    assert restored.calendars.users_of(holidays) == [SCHEDULE, other.schedule_id]
    assert list(restored.calendars.newer_for(restored.schedules[SCHEDULE])) == []
    await world.put(LATER)
    [(known, newer)] = world.index.calendars.newer_for(world.index.schedules[SCHEDULE])
    assert (known.actor, newer) == ("ann", copy(LATER, version=2))
