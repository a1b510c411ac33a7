"""A schedule as it is read is the schedule as its owner has it."""

from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from linstock import names
from linstock.messages.rules import Timing
from linstock.messages.schedule import (
    JobPolicy,
    ScanTarget,
    ScheduleChanged,
    ScheduleDefined,
    ScheduleDeleted,
    ScheduleDisabled,
    ScheduleEnabled,
    ScheduleEvent,
    TickFired,
)
from services.projection.fact import Fact, fact_of
from services.projection.views import schedules
from services.projection.views.schedules import Schedule
from services.scheduler.schedule import Enabled, evolve, initial
from services.scheduler.schedule.states import Live
from tests.support.recorded import NOON, RecordedLog

LIBRARY_ID = UUID(int=3)
SCHEDULE_ID = names.schedule_of(LIBRARY_ID)
TARGET = ScanTarget(library_id=LIBRARY_ID, library_name="Pictures", library_path="/data/pictures")
LATER = NOON + timedelta(days=1)


def defined(name: str = "first", *, enabled: bool = True) -> ScheduleDefined:
    return ScheduleDefined(
        schedule_id=SCHEDULE_ID, name=name, description="", timing=Timing(expression="0 2 * * *", zone="UTC"),
        target=TARGET, enabled=enabled, library_version=1, cursor=NOON, scan_mode="deep",
    )  # fmt: skip


def changed(policy: JobPolicy | None = None, scan_mode: str | None = None) -> ScheduleChanged:
    return ScheduleChanged(
        schedule_id=SCHEDULE_ID, version=2, name="changed", description="new",
        timing=Timing(expression="* * * * *", zone="Europe/Berlin"), target=TARGET, library_version=1, cursor=LATER,
        policy=policy, scan_mode=scan_mode,
    )  # fmt: skip


ENABLED = ScheduleEnabled(schedule_id=SCHEDULE_ID, library_version=1, cursor=LATER)
DISABLED = ScheduleDisabled(schedule_id=SCHEDULE_ID, library_version=1, at=NOON)
DELETED = ScheduleDeleted(schedule_id=SCHEDULE_ID, library_version=1, reason="asked")
FIRED = TickFired(
    schedule_id=SCHEDULE_ID, instant=LATER, job_id=UUID(int=9), verdict="fired", missed_count=0, version=1, tzdata="-"
)
EVENTS = st.sampled_from(
    [
        defined("again", enabled=False),
        changed(),
        changed(JobPolicy(priority=9, timeout_s=60, max_retries=0), "changed"),
        ENABLED,
        DISABLED,
        DELETED,
        FIRED,
    ]
)


def facts(*events: ScheduleEvent) -> list[Fact]:
    log = RecordedLog(names.SCHEDULER)
    for number, event in enumerate(events):
        log.says(SCHEDULE_ID, event, actor=f"actor-{number}")
    return [fact_of(delivered) for delivered in log.deliveries]


def row(*events: ScheduleEvent) -> Schedule:
    rows = schedules.rows()
    for fact in facts(*events):
        schedules.fold(rows, fact)
    found = rows.get(SCHEDULE_ID)
    assert found
    return found


@given(st.lists(EVENTS, max_size=12))
def test_it_counts_editions_as_its_owner_does(events: list[ScheduleEvent]) -> None:
    told = [defined(), *events]
    state = initial()
    for event in told:
        state = evolve(state, event)
    shown = row(*told)
    assert shown.edition == getattr(state, "edition", None)
    assert (shown.deleted_at is None) == isinstance(state, Live)
    assert shown.enabled == isinstance(state, Enabled)
    if isinstance(state, Live):
        assert (shown.name, shown.cursor, shown.scan_mode) == (state.name, state.cursor, state.scan_mode)
        assert (shown.expression, shown.zone) == (state.timing.expression, state.timing.zone)
        assert (shown.priority, shown.timeout_s) == (state.policy.priority, state.policy.timeout_s)


def test_one_that_was_deleted_comes_back_with_its_history() -> None:
    shown = row(defined(), DELETED, defined("again"))
    assert (shown.deleted_at, shown.edition, shown.name) == (None, 3, "again")
    assert (shown.created_at, shown.created_by, shown.updated_by) == (NOON, "actor-0", "actor-2")


def test_ticks_are_no_edit() -> None:
    shown = row(defined(), FIRED)
    assert (shown.edition, shown.updated_by, shown.cursor) == (1, "actor-0", LATER)


def test_what_is_said_of_a_deleted_one_changes_nothing() -> None:
    gone = row(defined(), DELETED)
    assert row(defined(), DELETED, ENABLED, changed()) == gone
    assert not gone.enabled
