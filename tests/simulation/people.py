"""People who edit schedules, through the real planner of whichever replica gets their command."""

import random
from datetime import timedelta
from uuid import UUID, uuid4

from linstock.bus.inbox import CommandContext, Refused
from linstock.eventlog.record import FutureInstant, Origin, VersionConflict
from linstock.messages.rules import ChangedRules, Rules
from linstock.messages.schedule_commands import (
    ChangeSchedule,
    DisableSchedule,
    EnableSchedule,
    PauseSchedule,
    ResumeSchedule,
)
from services.scheduler.clock import ClockStale
from services.scheduler.edits import EditPlanner
from services.scheduler.known import KnownSchedule
from services.scheduler.schedule import Existing, Paused
from services.scheduler.schedule.editing import Edit
from tests.simulation import plans
from tests.simulation.almanac import Plan
from tests.simulation.replica import Replica
from tests.simulation.world import WORKSPACE, World

TRIES = 5


class People:
    """`plans` says what each timing means that somebody ever gave a schedule."""

    def __init__(self, world: World, known: dict[object, Plan], seed: int, days: int) -> None:
        self.plans = known
        self._world = world
        self._chance = random.Random(f"{seed} people")
        self._days = days

    async def edit(self, replica: Replica | None) -> None:
        """One schedule. Who loses a race tries again; who gets no answer does not."""
        if replica is None or not replica.known():
            return
        command, log = self._command(self._chance.choice(replica.known())), replica.connection
        for _ in range(TRIES):
            try:
                now = replica.clock.require()
                context = CommandContext(command_id=uuid4(), workspace=WORKSPACE, actor="person", at=now)
                plan = await EditPlanner(log, replica.index).edit(command, context)
                origin = Origin(workspace=WORKSPACE, actor="person", at=now, correlation_id=uuid4())
                await log.append(plan.appends, origin, not_before=plan.not_before)
            except VersionConflict:
                continue
            except (Refused, FutureInstant, ConnectionError, ClockStale):
                return
            return

    def _command(self, known: KnownSchedule) -> Edit:
        schedule_id, chance = known.schedule_id, self._chance
        if isinstance(known.state, Paused) and chance.random() < 0.5:
            return ResumeSchedule(schedule_id=schedule_id)
        match chance.choice(("pause", "pause", "until", "off", "on", "on", "on", "retime", "rules")):
            case "pause":
                return PauseSchedule(schedule_id=schedule_id, reason="disk swap")
            case "until":
                lasts_s = chance.choice((30.0, 90_000.0, 2_000_000.0)) * chance.random() + 2
                until = self._world.postgres_at(self._world.now_s) + timedelta(seconds=lasts_s)
                return PauseSchedule(schedule_id=schedule_id, resume_at=until)
            case "off":
                return DisableSchedule(schedule_id=schedule_id)
            case "retime":
                return self._retimed(known)
            case "rules" if not _is_dense(known):
                return self._ruled(schedule_id)
            case _:
                return EnableSchedule(schedule_id=schedule_id)

    def _ruled(self, schedule_id: UUID) -> ChangeSchedule:
        rules = plans.rules(self._chance, self._world.start, self._days)
        changed = {name: getattr(rules, name) for name in Rules.__struct_fields__}
        return ChangeSchedule(schedule_id=schedule_id, rules=ChangedRules(**changed))

    def _retimed(self, known: KnownSchedule) -> ChangeSchedule:
        plan = (plans.dense_plan if _is_dense(known) else plans.plan)(self._chance)
        told = plan.timing
        self.plans[told] = plan
        return ChangeSchedule(
            schedule_id=known.schedule_id, expression=told.expression, zone=told.zone, days=told.days,
            clock_changes=told.clock_changes,
        )  # fmt: skip


def _is_dense(known: KnownSchedule) -> bool:
    return isinstance(known.state, Existing) and known.state.timing.expression in plans.DENSE
