"""Doing again what has failed, on a log in memory: given / when / then."""

from uuid import UUID, uuid4

import pytest
from msgspec import Raw
from msgspec.structs import replace

from linstock import names
from linstock.bus.inbox import CommandContext, Plan, Refused
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Append, Origin
from linstock.messages.job import (
    After,
    JobCancelled,
    JobEvent,
    JobFailed,
    JobRequested,
    JobSucceeded,
    JobTimedOut,
    RetryRun,
)
from linstock.messages.maintenance import CLEAN_THUMBNAILS
from linstock.messages.schedule import JobPolicy
from services.scheduler.commands import SchedulerPlanner
from services.scheduler.index import Index
from tests.support.jobs import at, released, started, succeeded
from tests.support.schedules import JOB, NOON, job_requested, scan_requested

PARENT = UUID(int=11)
FAILED = JobFailed(job_id=JOB, attempt=1, at=at(5), code="disk", message="gone")
TIMED_OUT = JobTimedOut(job_id=JOB, attempt=1, at=at(60))
CANCELLED = JobCancelled(job_id=JOB, attempt=1, at=at(5), reason="enough")


class World:
    """The scheduler's planner, whose plans are appended, in one workspace."""

    def __init__(self) -> None:
        self._log, self._index = MemoryLog("scheduler"), Index()
        self._planner = SchedulerPlanner(self._log, self._index)

    async def given(self, *history: JobEvent) -> None:
        await self.add(Append(aggregate="job", aggregate_id=JOB, expected_version=0, events=history))

    async def add(self, *appends: Append) -> None:
        origin = Origin(workspace="acme", actor="ann", at=NOON, correlation_id=uuid4())
        await self._log.append(appends, origin)
        for recorded in await self._log.read(self._index.position):
            self._index.apply(recorded)

    async def retry(self, job_id: UUID = JOB, *, workspace: str = "acme") -> Plan:
        context = CommandContext(command_id=uuid4(), workspace=workspace, actor="ann", at=at(100))
        plan = await self._planner.plan(RetryRun(job_id=job_id), context)
        await self.add(*plan.appends)
        return plan

    async def refused(self, job_id: UUID = JOB, *, workspace: str = "acme") -> tuple[int, str]:
        with pytest.raises(Refused) as refused:
            await self.retry(job_id, workspace=workspace)
        return refused.value.answer.status, refused.value.answer.code


def requested_by(plan: Plan) -> JobRequested:
    [append] = plan.appends
    [event] = append.events
    assert isinstance(event, JobRequested)
    return event


@pytest.mark.parametrize("verdict", [FAILED, TIMED_OUT, CANCELLED])
async def test_what_has_not_succeeded_is_done_again_as_a_job_of_its_own(verdict: JobEvent) -> None:
    world = World()
    await world.given(job_requested(), started(), verdict)
    plan = await world.retry()
    request = requested_by(plan)
    assert plan.answer.id == request.job_id == names.retry_of(JOB)
    assert (request.retry_of, request.requested_at, request.triggered_by) == (JOB, at(100), "API")


async def test_it_is_the_same_work_that_waits_for_nothing() -> None:
    policy = JobPolicy(priority=9, max_retries=7)
    first = replace(
        job_requested(queue="reports", policy=policy, after=(After(job_id=PARENT),), not_before=at(9)),
        payload=Raw(b'{"n":1}'),
        payload_version=3,
        name="Monthly",
        unique_key="monthly",
    )
    world = World()
    await world.given(first, released(PARENT), started(), FAILED)
    again = requested_by(await world.retry())
    same = ("job_type", "queue", "policy", "payload_version", "name", "library_id")
    assert {each: getattr(again, each) for each in same} == {each: getattr(first, each) for each in same}
    assert bytes(again.payload) == b'{"n":1}'
    assert (again.after, again.not_before, again.unique_key) == ((), None, "")


async def test_asked_twice_it_is_the_same_job() -> None:
    world = World()
    await world.given(job_requested(), started(), FAILED)
    first, second = await world.retry(), await world.retry()
    assert second.appends == ()
    assert second.answer == first.answer


async def test_a_retry_that_has_failed_too_is_done_again_as_a_third_job() -> None:
    world = World()
    await world.given(job_requested(), started(), FAILED)
    again = names.retry_of(JOB)
    await world.retry()
    failed = replace(FAILED, job_id=again)
    await world.add(Append(aggregate="job", aggregate_id=again, expected_version=1, events=[failed]))
    assert requested_by(await world.retry(again)).retry_of == again


async def test_what_is_open_or_has_succeeded_is_not_done_again() -> None:
    for history in ([], [started()], [started(), succeeded()]):
        world = World()
        await world.given(job_requested(), *history)
        assert await world.refused() == (409, "not-failed")


async def test_scans_and_other_built_in_jobs_are_asked_for_in_their_own_way() -> None:
    for request in (scan_requested(), replace(job_requested(), job_type=CLEAN_THUMBNAILS)):
        world = World()
        await world.given(request, started(), FAILED)
        assert await world.refused() == (409, "not-retriable")


async def test_jobs_that_are_not_there_or_are_somebody_elses_are_unknown() -> None:
    world = World()
    await world.given(job_requested(), started(), FAILED)
    assert await world.refused(UUID(int=99)) == (404, "run-not-found")
    assert await world.refused(workspace="other") == (404, "run-not-found")


async def test_success_elsewhere_is_no_reason_to_refuse() -> None:
    """The verdict of the retry says nothing about the job that it does again."""
    world = World()
    await world.given(job_requested(), started(), FAILED)
    await world.retry()
    done = JobSucceeded(job_id=names.retry_of(JOB), attempt=1, at=at(9), result=Raw(b"{}"))
    await world.add(Append(aggregate="job", aggregate_id=names.retry_of(JOB), expected_version=1, events=[done]))
    assert (await world.retry()).appends == ()
