"""One simulated year, from its seed to its findings."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from unittest import mock
from uuid import UUID, uuid4

import msgspec

from linstock.eventlog.record import Append, Origin
from linstock.messages.job import JobEvent
from linstock.messages.rules import Rules
from linstock.messages.schedule import ScanTarget, ScheduleDefined, ScheduleEvent
from services.scheduler import tail, ticker
from tests.simulation import loop, plans
from tests.simulation.almanac import Plan
from tests.simulation.evidence import Told, Witness
from tests.simulation.fate import DAY_S, Fate
from tests.simulation.oracle import Findings, judge
from tests.simulation.people import People
from tests.simulation.world import WORKSPACE, World

START = datetime(2026, 1, 1, tzinfo=UTC)
DENSE_SHARE = 0.05
SHARED_LIBRARIES = 0.2
LONG_S = 1e6

_EVENTS: msgspec.json.Decoder[ScheduleEvent | JobEvent] = msgspec.json.Decoder(ScheduleEvent | JobEvent)


@dataclass(frozen=True)
class Year:
    """`checked`: the log refuses what was decided on another version. `trusting`: replicas believe the clocks of their
    machines."""

    seed: int
    days: int = 365
    schedules: int = 200
    checked: bool = True
    trusting: bool = False


@dataclass(frozen=True)
class Outcome:
    """`happened` counts what went wrong and what people did."""

    history: list[Told]
    plans: dict[object, Plan]
    witness: Witness
    end: Told
    happened: dict[str, int]

    def findings(self, history: list[Told] | None = None) -> Findings:
        """Of another history than the real one, if given."""
        return judge(self.history if history is None else history, self.plans, self.witness, self.end)


def simulate(year: Year) -> Outcome:
    with _no_idle_looks():
        return loop.run(_simulate(year))


@contextmanager
def _no_idle_looks() -> Iterator[None]:
    """A year has 31 million seconds. Whatever a look each second would show, `Fate` points out when it happens."""
    with mock.patch.object(ticker, "LONGEST_SLEEP_S", LONG_S), mock.patch.object(tail, "WAIT_S", LONG_S):
        yield


async def _simulate(year: Year) -> Outcome:
    world = World(START, year.seed, checked=year.checked)
    known = await _define(world, year)
    people = People(world, known, year.seed, year.days)
    fate = Fate(world, people, year.seed, year.days, trusting=year.trusting)
    await fate.run()
    return _outcome(world, fate, known, year)


async def _define(world: World, year: Year) -> dict[object, Plan]:
    chance, known = random.Random(f"{year.seed} schedules"), dict[object, Plan]()
    library_ids = list[UUID]()
    for number in range(year.schedules):
        dense = number < year.schedules * DENSE_SHARE
        plan = plans.dense_plan(chance) if dense else plans.plan(chance)
        rules = (plans.dense_rules if dense else plans.rules)(chance, START, year.days)
        known[plan.timing] = plan
        shared = library_ids and chance.random() < SHARED_LIBRARIES
        library_id = chance.choice(library_ids) if shared else UUID(int=chance.getrandbits(128), version=4)
        library_ids.append(library_id)
        schedule_id = UUID(int=chance.getrandbits(128), version=4)
        append = Append(
            aggregate="schedule", aggregate_id=schedule_id, expected_version=0,
            events=[_defined(schedule_id, library_id, plan, rules)],
        )  # fmt: skip
        await world.log.append([append], Origin(workspace=WORKSPACE, actor="test", at=START, correlation_id=uuid4()))
    return known


def _defined(schedule_id: UUID, library_id: UUID, plan: Plan, rules: Rules) -> ScheduleDefined:
    return ScheduleDefined(
        schedule_id=schedule_id, name="A", description="A", timing=plan.timing,
        target=ScanTarget(library_id=library_id, library_name="A", library_path="/a"),
        enabled=True, library_version=1, cursor=START, auto_scan_at=START, timing_at=START, rules=rules,
    )  # fmt: skip


def _outcome(world: World, fate: Fate, known: dict[object, Plan], year: Year) -> Outcome:
    log = world.log
    records = log._events
    history = [
        Told(record, _EVENTS.decode(record.data), at_s, world.postgres_at(at_s), batch)
        for record, at_s, batch in zip(records, log.appended_s, log.batches, strict=True)
    ]
    watching_s = [stretch for slot in fate.slots for stretch in slot.watching_s]
    witness = Witness(world.reached_s, watching_s, world.steps.moments_s)
    end_s = year.days * DAY_S
    end = Told(records[-1], "the end", end_s, world.postgres_at(end_s), -1)
    return Outcome(history, known, witness, end, {**fate.happened, "appended and not known": world.unknown})
