"""A calendar as it is read is the calendar as its owner has it."""

from datetime import date, timedelta
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from linstock import names
from linstock.messages.calendar import CalendarEvent
from linstock.messages.rules import CalendarDays, Rules, Timing
from linstock.messages.schedule import ScheduleChanged, TicksSkipped
from services.projection.fact import fact_of
from services.projection.tables import Tables
from services.projection.views import calendars
from services.projection.views.calendars import Calendar
from services.scheduler import calendar
from services.scheduler.calendar import Defined, Delete, Put
from tests.support.recorded import NOON, RecordedLog
from tests.support.story import Story

CALENDAR = names.calendar_of("default", "holidays")
DAYS = [date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 26)]

puts = st.builds(
    lambda days, said: Put(CALENDAR, "holidays", said, tuple(sorted(days)), NOON),
    st.sets(st.sampled_from(DAYS)),
    st.sampled_from(["", "Public"]),
)


def projected(events: list[CalendarEvent]) -> Calendar | None:
    log = RecordedLog(names.SCHEDULER)
    log.says(CALENDAR, *events, actor="ann")
    rows = calendars.rows()
    for delivered in log.deliveries:
        fact = fact_of(delivered)
        assert set(calendars.reads(fact)) == {CALENDAR}
        calendars.fold(rows, fact)
    return rows.get(CALENDAR)


@given(st.lists(puts | st.just(Delete(NOON)), max_size=8))
def test_whatever_was_told(told: list[Put | Delete]) -> None:
    events, state = list[CalendarEvent](), calendar.initial()
    for command in told:
        decided = calendar.decide(command, state)
        state, events = reduce(calendar.evolve, decided, state), events + decided
    row = projected(events)
    if row is None:
        assert events == []
        return
    assert row.version == calendar.version_of(state)
    assert (row.deleted_at is None) == isinstance(state, Defined)
    if isinstance(state, Defined):
        assert (row.name, row.description, row.days) == ("holidays", state.description, _json(state.days))
        span = (state.days[0].isoformat(), state.days[-1].isoformat()) if state.days else (None, None)
        assert (row.day_count, row.first_day, row.last_day) == (len(state.days), *span)


def _json(days: tuple[date, ...]) -> str:
    return "[" + ",".join(f'"{day}"' for day in days) + "]"


def test_who_made_it_and_who_changed_it() -> None:
    events = calendar.decide(Put(CALENDAR, "holidays", "", (), NOON), calendar.initial())
    log = RecordedLog(names.SCHEDULER)
    log.says(CALENDAR, *events, actor="ann")
    changed = calendar.decide(Put(CALENDAR, "holidays", "x", (), NOON), calendar.evolve(calendar.initial(), events[0]))
    log.says(CALENDAR, *changed, actor="ben")
    rows = calendars.rows()
    for delivered in log.deliveries:
        calendars.fold(rows, fact_of(delivered))
    row = rows.get(CALENDAR)
    assert row
    assert (row.created_by, row.updated_by, row.updated_at - row.created_at) == ("ann", "ben", timedelta(seconds=1))


def test_a_schedule_s_row_and_its_ticks_name_its_calendars() -> None:
    rules = Rules(calendars=tuple(CalendarDays(name=name, version=1, days=()) for name in ("fair", "holidays")))
    story = Story().created().fired(NOON, 1)
    changed = ScheduleChanged(
        schedule_id=story.schedule_id, version=2, name="n", description="", target=story.target, library_version=1,
        timing=Timing(expression="@daily", zone="UTC"), cursor=NOON, rules=rules,
    )  # fmt: skip
    skipped = TicksSkipped(
        schedule_id=story.schedule_id, first=NOON, last=NOON, count=1, reason="outside_window", busy=None, version=2,
        tzdata="2026a", calendar="fair",
    )  # fmt: skip
    story.scheduler.says(story.schedule_id, changed, skipped)
    tables = Tables()
    tables.fold([fact_of(each) for each in story.scheduler.deliveries])
    schedule = tables.schedules.get(story.schedule_id)
    assert schedule
    assert schedule.calendars == "fair holidays"
    assert [tick.calendar for tick in tables.ticks.changed()] == [None, "fair"]
