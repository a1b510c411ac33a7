"""Making up for instants that are past: which get a run, and that none ever gets two."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from msgspec.structs import replace

from linstock import names
from linstock.bus.inbox import CommandContext, Refused
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Append, Origin, VersionConflict
from linstock.messages.answer import Answer
from linstock.messages.job import ScanRequested
from linstock.messages.message import Message
from linstock.messages.rules import Rules, Window
from linstock.messages.schedule import (
    ScheduleBackfilled,
    ScheduleChanged,
    ScheduleDeleted,
    ScheduleDisabled,
    ScheduleEvent,
    TickFired,
    TicksSkipped,
)
from linstock.messages.schedule_commands import BackfillSchedule
from services.scheduler import schedule
from services.scheduler.backfills import BackfillPlanner
from services.scheduler.index import Index
from services.scheduler.known import SCHEDULE as KIND
from services.scheduler.schedule import Existing
from tests.support.schedules import NOON, SCHEDULE, defined, seconds

MINUTE = timedelta(minutes=1)
ORIGIN = Origin(workspace="default", actor="test", at=NOON, correlation_id=uuid4())


def job_at(minute: int) -> UUID:
    return names.job_of_tick(SCHEDULE, (NOON + minute * MINUTE).isoformat())


def fired(minute: int) -> TickFired:
    return TickFired(
        schedule_id=SCHEDULE, instant=NOON + minute * MINUTE, job_id=job_at(minute), verdict="fired", missed_count=0,
        version=1, tzdata="2026a",
    )  # fmt: skip


def skipped(first: int, last: int) -> TicksSkipped:
    return TicksSkipped(
        schedule_id=SCHEDULE, first=NOON + first * MINUTE, last=NOON + last * MINUTE, count=last - first + 1,
        reason="misfire", busy=None, version=1, tzdata="2026a",
    )  # fmt: skip


class Desk:
    """A planner on a log that holds a schedule of each minute, made at noon; it is ten past."""

    def __init__(self) -> None:
        self.log = MemoryLog("scheduler")
        self.planner = BackfillPlanner(self.log, Index())
        self.now = NOON + 10 * MINUTE

    async def says(self, *events: ScheduleEvent) -> None:
        loaded = await KIND.load(self.log, SCHEDULE)
        jobs = [
            Append(aggregate="job", aggregate_id=each.job_id, expected_version=0, events=[_request(each)])
            for each in events
            if isinstance(each, TickFired)
        ]
        await self.log.append([*jobs, loaded.append(list(events))], ORIGIN)

    async def state(self) -> Existing:
        state = (await KIND.load(self.log, SCHEDULE)).state
        assert isinstance(state, Existing)
        return state

    async def plan(self, first: float = 0, last: float = 10, **more: Any) -> tuple[Answer, list[Append]]:
        command = BackfillSchedule(schedule_id=SCHEDULE, first=NOON + first * MINUTE, last=NOON + last * MINUTE, **more)
        context = CommandContext(command_id=uuid4(), workspace="default", actor="ann", at=self.now)
        plan = await self.planner.plan(command, context)
        return plan.answer, list(plan.appends)

    async def backfill(self, first: float = 0, last: float = 10, **more: Any) -> Answer:
        answer, appends = await self.plan(first, last, **more)
        await self.log.append(appends, ORIGIN)
        return answer


def _request(tick: TickFired) -> Message:
    target = defined().target
    return ScanRequested(
        job_id=tick.job_id, schedule_id=SCHEDULE, instant=tick.instant, triggered_by="Scheduler", target=target,
        policy=defined().policy, requested_at=NOON,
    )  # fmt: skip


def told(answer: Answer) -> list[tuple[int, str]]:
    return [((each.instant - NOON) // MINUTE, each.outcome) for each in answer.instants]


def refusal(refused: pytest.ExceptionInfo[Refused]) -> tuple[int, str, str]:
    answer = refused.value.answer
    return answer.status, answer.field or answer.code, answer.detail


@pytest.fixture
async def desk() -> Desk:
    """1 fired, 2 to 4 were missed, 5 fired; 6 and later are undecided."""
    desk = Desk()
    await desk.says(defined(cron="* * * * *"))
    await desk.says(fired(1), skipped(2, 4), fired(5))
    return desk


async def test_each_that_never_ran_gets_the_run_that_its_tick_would_have_had(desk: Desk) -> None:
    before = await desk.state()
    answer, appends = await desk.plan()
    assert told(answer) == [
        (0, "fires"), (1, "fired_already"), (2, "fires"), (3, "fires"), (4, "fires"), (5, "fired_already"),
        (6, "undecided"), (7, "undecided"), (8, "undecided"), (9, "undecided"), (10, "undecided"),
    ]  # fmt: skip
    assert [each.run_id for each in answer.instants[:7]] == [*(job_at(minute) for minute in range(6)), None]
    *jobs, last = appends
    requests = [msgspec.convert(msgspec.to_builtins(job.events[0]), ScanRequested) for job in jobs]
    assert [each.job_id for each in requests] == [job_at(minute) for minute in (0, 2, 3, 4)]  # the oldest first
    assert {(each.triggered_by, each.waits, each.requested_at) for each in requests} == {("Backfill", True, desk.now)}
    [event] = last.events
    assert isinstance(event, ScheduleBackfilled)
    assert event.instants == tuple(NOON + minute * MINUTE for minute in (0, 2, 3, 4))
    await desk.log.append(appends, ORIGIN)
    assert await desk.state() == before  # the cursor, its edition and its runs are what they were


async def test_twice_is_once(desk: Desk) -> None:
    await desk.backfill()
    answer, appends = await desk.plan(0, 4)
    assert {outcome for _, outcome in told(answer)} == {"fired_already"}
    assert appends == []
    answer, _ = await desk.plan(0, 4, limit=5)
    assert len(answer.instants) == 5


async def test_a_dry_run_says_the_same_and_does_nothing(desk: Desk) -> None:
    shown, appends = await desk.plan(dry_run=True)
    assert appends == []
    assert shown == await desk.backfill()


async def test_of_two_at_once_one_plans_again(desk: Desk) -> None:
    (_, first), (_, second) = await desk.plan(2, 4), await desk.plan(3, 4)
    await desk.log.append(first, ORIGIN)
    with pytest.raises(VersionConflict):
        await desk.log.append(second, ORIGIN)
    answer, again = await desk.plan(3, 4)
    assert (told(answer), again) == ([(3, "fired_already"), (4, "fired_already")], [])


async def test_a_tick_that_comes_between_makes_it_plan_again(desk: Desk) -> None:
    _, appends = await desk.plan()
    tick = [
        Append(aggregate="job", aggregate_id=job_at(6), expected_version=0, events=[_request(fired(6))]),
        (await KIND.load(desk.log, SCHEDULE)).append([fired(6)]),
    ]
    await desk.log.append(tick, ORIGIN)
    with pytest.raises(VersionConflict):
        await desk.log.append(appends, ORIGIN)
    answer = await desk.backfill()
    assert told(answer)[6:8] == [(6, "fired_already"), (7, "undecided")]


async def test_a_tick_that_was_planned_before_a_backfill_is_planned_again(desk: Desk) -> None:
    stale = (await KIND.load(desk.log, SCHEDULE)).append([fired(6)])
    await desk.backfill()
    with pytest.raises(VersionConflict):
        await desk.log.append([stale], ORIGIN)


async def test_also_while_it_is_off_and_where_nothing_may_fire(desk: Desk) -> None:
    state = await desk.state()
    rules = Rules(excluded=(Window(first=NOON, last=NOON + 9 * MINUTE),), max_runs=1, ends_at=NOON)
    timing = replace(state.timing, expression="*/2 * * * *")
    changed = ScheduleChanged(
        schedule_id=SCHEDULE, version=2, name="x", description="", timing=timing,
        target=state.target, library_version=1, cursor=NOON + 6 * MINUTE, rules=rules,
    )  # fmt: skip
    await desk.says(changed, ScheduleDisabled(schedule_id=SCHEDULE, library_version=1, at=desk.now))
    assert told(await desk.backfill(-4, 6)) == [
        (-4, "fires"), (-2, "fires"), (0, "fires"), (2, "fires"), (4, "fires"), (6, "fires"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "more", "field", "reason"),
    [
        (0, 11, {}, "to", "it is not past yet"),
        (5, 4, {}, "from", "it is later than to"),
        (0, 10, {"limit": 201}, "limit", "it is 1 to 200"),
        (0, 10, {"limit": 4}, "from", "There are 11 instants in that time; at most 4 are made up for at once."),
        (-1441, 10, {}, "from", "There are 1,452 instants in that time; at most 200 are made up for at once."),
        (-3661 * 1440, 10, {}, "from", "it is at most 3660 days before to"),
    ],
)
async def test_what_is_refused(desk: Desk, first: int, last: int, more: Any, field: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        await desk.plan(first, last, **more)
    assert refusal(refused) == (422, field, reason)


async def test_between_two_seconds(desk: Desk) -> None:
    assert told(await desk.backfill(2.001, 3.999)) == [(3, "fires")]


async def test_there_is_none_of_what_is_deleted_or_elsewhere(desk: Desk) -> None:
    context = CommandContext(command_id=uuid4(), workspace="other", actor="ann", at=desk.now)
    command = BackfillSchedule(schedule_id=SCHEDULE, first=NOON, last=NOON)
    with pytest.raises(Refused) as refused:
        await desk.planner.plan(command, context)
    assert refusal(refused)[:2] == (404, "scheduled-job-not-found")
    await desk.says(ScheduleDeleted(schedule_id=SCHEDULE, library_version=1, reason="asked"))
    with pytest.raises(Refused) as refused:
        await desk.plan()
    assert refusal(refused)[:2] == (404, "scheduled-job-not-found")


async def test_it_is_nothing_to_a_schedule_that_is_gone() -> None:
    event = ScheduleBackfilled(
        schedule_id=SCHEDULE, at=NOON, first=NOON, last=NOON + seconds(1), instants=(NOON,), version=1, tzdata="2026a"
    )
    assert schedule.evolve(schedule.initial(), event) == schedule.initial()
