"""Jobs of one command that wait for one another, on a log in memory: given / when / then."""

from uuid import UUID

import pytest

from linstock import names
from linstock.bus.inbox import CommandContext, Refused
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Origin
from linstock.messages.enqueue import EnqueueJobs, Unique, WantedJob
from linstock.messages.job import After, JobRequested
from services.scheduler.enqueuing import EnqueuePlanner
from services.scheduler.index import Index
from tests.support.schedules import NOON

FIRST, SECOND = UUID(int=1), UUID(int=2)  # commands


def own(place: int, command_id: UUID = FIRST) -> UUID:
    return names.job_of_command(command_id, place)


def wanted(*parents: UUID, key: str = "") -> WantedJob:
    after = tuple(After(job_id=each) for each in parents)
    return WantedJob(job_type="Invoice", after=after, unique=Unique(key=key) if key else None)


class World:
    def __init__(self) -> None:
        self._log, self._index = MemoryLog("scheduler"), Index()
        self._planner = EnqueuePlanner(self._log, self._index)

    async def enqueue(self, *jobs: WantedJob, command_id: UUID = FIRST) -> dict[UUID, set[UUID]]:
        """What each that was made waits for."""
        context = CommandContext(command_id=command_id, workspace="acme", actor="ann", at=NOON)
        plan = await self._planner.plan(EnqueueJobs(jobs=jobs), context)
        await self._log.append(plan.appends, Origin(workspace="acme", actor="ann", at=NOON, correlation_id=command_id))
        for recorded in await self._log.read(self._index.position):
            self._index.apply(recorded)
        events = [event for append in plan.appends for event in append.events]
        made = [event for event in events if isinstance(event, JobRequested)]
        return {event.job_id: {each.job_id for each in event.after} for event in made}


async def test_a_job_may_wait_for_others_of_its_command_in_any_order() -> None:
    made = await World().enqueue(wanted(own(1), own(2)), wanted(), wanted(own(1)))
    assert made == {own(0): {own(1), own(2)}, own(1): set(), own(2): {own(1)}}


@pytest.mark.parametrize(
    ("jobs", "field"),
    [
        ([wanted(own(0))], "jobs/0/after"),
        ([wanted(), wanted(own(2)), wanted(own(0), own(1))], "jobs/1/after"),
        ([wanted(own(2)), wanted(own(0)), wanted(own(1))], "jobs/0/after"),
    ],
)
async def test_jobs_that_would_wait_for_one_another_for_ever_are_refused(jobs: list[WantedJob], field: str) -> None:
    with pytest.raises(Refused) as refused:
        await World().enqueue(*jobs)
    assert (refused.value.answer.status, refused.value.answer.field) == (422, field)


async def test_who_waits_for_a_job_whose_key_another_has_waits_for_that_one() -> None:
    world = World()
    await world.enqueue(wanted(key="k"))
    made = await world.enqueue(wanted(key="k"), wanted(own(0, SECOND)), command_id=SECOND)
    assert made == {own(1, SECOND): {own(0)}}


async def test_of_two_with_one_key_in_one_command_the_first_is_waited_for() -> None:
    made = await World().enqueue(wanted(key="k"), wanted(key="k"), wanted(own(0), own(1)))
    assert made == {own(0): set(), own(2): {own(0)}}


async def test_a_job_that_waits_for_its_own_double_is_refused() -> None:
    with pytest.raises(Refused, match="for ever"):
        await World().enqueue(wanted(own(1), key="k"), wanted(key="k"))
