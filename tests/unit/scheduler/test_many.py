"""Pausing and resuming many: which are meant, which of them change, and that it is one insert."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from linstock.bus.inbox import CommandContext, Plan, Refused
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Append, Origin
from linstock.messages.answer import Many
from linstock.messages.schedule import ScheduleDefined, SchedulePaused, ScheduleResumed, TicksSkipped
from linstock.messages.schedule_commands import PauseSchedules, ResumeSchedules, Which
from services.scheduler import many
from services.scheduler.index import Index
from services.scheduler.many import ManyPlanner
from tests.support.schedules import LIBRARY, NOON, defined

ALL = Which(everything=True)
HOUR = timedelta(hours=1)


class World:
    def __init__(self) -> None:
        self.log, self.index = MemoryLog("scheduler"), Index()
        self.planner = ManyPlanner(self.log, self.index)
        self.now = NOON

    async def add(self, *appends: Append, workspace: str = "acme") -> None:
        await self.log.append(appends, Origin(workspace=workspace, actor="ann", at=NOON, correlation_id=uuid4()))
        for recorded in await self.log.read(self.index.position):
            self.index.apply(recorded)

    async def define(self, *names: str, enabled: bool = True, workspace: str = "acme") -> list[UUID]:
        events = [_defined(name, enabled=enabled) for name in names]
        appends = [
            Append(aggregate="schedule", aggregate_id=event.schedule_id, expected_version=0, events=[event])
            for event in events
        ]
        await self.add(*appends, workspace=workspace)
        return [event.schedule_id for event in events]

    async def told(self, command: PauseSchedules | ResumeSchedules) -> Many:
        plan = await self.plan(command)
        await self.add(*plan.appends)
        assert plan.answer.many
        return plan.answer.many

    async def plan(self, command: PauseSchedules | ResumeSchedules) -> Plan:
        context = CommandContext(command_id=uuid4(), workspace="acme", actor="ann", at=self.now)
        if isinstance(command, PauseSchedules):
            return await self.planner.pause(command, context)
        return await self.planner.resume(command, context)


def _defined(name: str, *, enabled: bool) -> ScheduleDefined:
    return replace(defined(library_id=uuid4(), name=name, enabled=enabled, cron="* * * * *"), name=name)


def counts(told: Many) -> tuple[int, int]:
    return told.matched, told.changed


async def test_all_but_those_that_are_disabled_and_other_workspaces() -> None:
    world = World()
    await world.define("b", "a", "c")
    await world.define("asleep", enabled=False)
    await world.define("theirs", workspace="other")
    assert await world.told(PauseSchedules(which=ALL)) == Many(matched=4, changed=3, names=("a", "b", "c"))
    assert counts(await world.told(PauseSchedules(which=ALL))) == (4, 0)
    assert await world.told(ResumeSchedules(which=ALL)) == Many(matched=4, changed=3, names=("a", "b", "c"))
    assert counts(await world.told(ResumeSchedules(which=ALL))) == (4, 0)


async def test_a_pause_is_only_made_longer() -> None:
    world = World()
    [schedule_id] = await world.define("a")
    reasons = []
    for hours, reason in ((2, "first"), (1, "shorter"), (3, "longer"), (None, "for good"), (9, "shorter again")):
        resume_at = NOON + hours * HOUR if hours else None
        await world.told(PauseSchedules(which=ALL, reason=reason, resume_at=resume_at))
        reasons.append(getattr(world.index.schedules[schedule_id].state, "reason"))  # noqa: B009
    assert reasons == ["first", "first", "longer", "for good", "for good"]


async def test_what_is_said_must_all_hold() -> None:
    world = World()
    [one, two] = await world.define("Deep scan", "deep FREEZE")
    await world.define("other")
    library_id = world.index.schedules[one].state.target.library_id  # type: ignore[union-attr]
    for which, matched in (
        (Which(text="DEEP"), 2),
        (Which(text="scan for library: Deep Freeze"), 1),
        (Which(text="deep", ids=(two, two, uuid4())), 1),
        (Which(ids=()), 0),
        (Which(library_id=library_id), 1),
        (Which(library_id=library_id, text="freeze"), 0),
        (Which(library_id=LIBRARY), 0),
    ):
        told = await world.told(PauseSchedules(which=which, dry_run=True))
        assert counts(told) == (matched, matched), which
    with pytest.raises(Refused):
        await world.told(ResumeSchedules(which=Which()))


async def test_each_gets_what_it_would_get_alone() -> None:
    world = World()
    await world.define("a", "b")
    paused = await world.plan(PauseSchedules(which=ALL, reason=" power cut ", resume_at=NOON + HOUR))
    [[event], [_]] = [append.events for append in paused.appends]
    assert isinstance(event, SchedulePaused)
    assert (event.reason, event.resume_at, event.at) == ("power cut", NOON + HOUR, NOON)
    await world.add(*paused.appends)
    world.now = NOON + HOUR / 2
    for append in (await world.plan(ResumeSchedules(which=ALL))).appends:
        skipped, resumed = append.events
        assert isinstance(skipped, TicksSkipped)
        assert (skipped.count, skipped.reason) == (30, "paused")
        assert isinstance(resumed, ScheduleResumed)


async def test_a_dry_run_appends_nothing() -> None:
    world = World()
    await world.define(*(f"s{number:02}" for number in range(12)))
    plan = await world.plan(PauseSchedules(which=ALL, dry_run=True))
    assert plan.appends == ()
    assert plan.answer.many == Many(matched=12, changed=12, names=tuple(f"s{number:02}" for number in range(10)))


async def test_too_many_are_refused_with_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    await world.define("a", "b", "c")
    monkeypatch.setattr(many, "MOST", 2)
    with pytest.raises(Refused) as refused:
        await world.told(PauseSchedules(which=ALL, dry_run=True))
    answer = refused.value.answer
    assert (answer.status, answer.code) == (422, "too-many-schedules")
    assert answer.detail == "3 schedules are meant, and at most 2 go at once: say it for fewer."


async def test_reasons_and_ends_are_checked() -> None:
    world = World()
    for wrong in (PauseSchedules(which=ALL, reason="\0"), PauseSchedules(which=ALL, resume_at=NOON)):
        with pytest.raises(Refused) as refused:
            await world.told(wrong)
        assert refused.value.answer.status == 422
