"""The index: what it shows is what the log says, from whatever rows it started."""

from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Append, Origin, Recorded
from linstock.messages.job import JobCancelled, JobEvent, JobStarted, OutcomeIgnored
from linstock.messages.schedule import ScheduleDisabled, ScheduleEvent
from services.scheduler.index import Index
from services.scheduler.known import KnownJob, KnownSchedule
from tests.support.schedules import JOB, LIBRARY, NOON, SCHEDULE, defined, scan_requested, seconds

STARTED = JobStarted(job_id=JOB, attempt=1, worker="w", lease=UUID(int=1), at=NOON, deadline=NOON + seconds(60))
CANCELLED = JobCancelled(job_id=JOB, attempt=1, at=NOON, reason="x")
IGNORED = OutcomeIgnored(job_id=JOB, attempt=1, lease=UUID(int=1), outcome="failed", at=NOON)
DISABLED = ScheduleDisabled(schedule_id=SCHEDULE, library_version=2, at=NOON)


async def logged(*events: JobEvent | ScheduleEvent) -> list[Recorded]:
    log, versions = MemoryLog("scheduler"), {JOB: 0, SCHEDULE: 0}
    for event in events:
        of_job = hasattr(event, "job_id")
        aggregate, aggregate_id = ("job", JOB) if of_job else ("schedule", SCHEDULE)
        origin = Origin(workspace="default", actor="test", at=NOON, correlation_id=uuid4())
        append = Append(
            aggregate=aggregate, aggregate_id=aggregate_id, expected_version=versions[aggregate_id], events=[event]
        )
        await log.append([append], origin)
        versions[aggregate_id] += 1
    return await log.read(0)


def fed(recorded: list[Recorded], index: Index | None = None) -> Index:
    index = index or Index()
    for each in recorded:
        index.apply(each)
    return index


def shown(index: Index) -> tuple[object, ...]:
    return index.position, index.schedules, index.jobs, index.running, index.open_jobs_of(LIBRARY)


async def test_it_shows_schedules_and_open_jobs() -> None:
    index = fed(await logged(defined(), scan_requested()))
    assert [known.schedule_id for known in index.active()] == [SCHEDULE]
    assert index.open_jobs_of(LIBRARY) == [JOB]
    assert index.running == {}


async def test_a_job_that_runs_is_shown_as_running_and_one_that_ended_not_at_all() -> None:
    history = await logged(defined(), scan_requested(), STARTED, DISABLED, CANCELLED, IGNORED)
    assert list(fed(history[:3]).running) == [JOB]
    index = fed(history)
    assert (index.jobs, index.running, index.open_jobs_of(LIBRARY), index.active()) == ({}, {}, [], [])


async def test_listeners_hear_of_every_change_after_it() -> None:
    index, heard = Index(), list[tuple[UUID, bool]]()
    index.on_job(lambda job_id: heard.append((job_id, job_id in index.jobs)))
    index.on_schedule(lambda schedule_id: heard.append((schedule_id, schedule_id in index.schedules)))
    fed(await logged(defined(), scan_requested(), CANCELLED), index)
    assert heard == [(SCHEDULE, True), (JOB, True), (JOB, False)]


async def test_who_waits_for_a_position_wakes_when_it_is_applied() -> None:
    history = await logged(defined(), scan_requested())
    index = fed(history)
    assert await index.reached(history[-1].position, timeout_s=0)
    assert not await index.reached(history[-1].position + 1, timeout_s=0)


@pytest.mark.parametrize("split", range(7))
async def test_starting_from_stored_rows_is_starting_from_the_log(split: int) -> None:
    history = await logged(defined(), scan_requested(), STARTED, DISABLED, CANCELLED, IGNORED)
    before = fed(history[:split])
    restored = Index()
    restored.restore(
        before.position,
        [msgspec.json.decode(msgspec.json.encode(known), type=KnownSchedule) for known in before.schedules.values()],
        [msgspec.json.decode(msgspec.json.encode(known), type=KnownJob) for known in before.jobs.values()],
    )
    assert shown(fed(history, restored)) == shown(fed(history))


@given(st.data())
async def test_any_repetition_shows_the_same(data: st.DataObject) -> None:
    history = await logged(defined(), scan_requested(), STARTED, DISABLED, CANCELLED, IGNORED)
    whole, index, upto = fed(history), Index(), 0
    while upto < len(history):
        start = data.draw(st.integers(0, upto))
        upto = data.draw(st.integers(upto + 1, len(history)))
        fed(history[start:upto], index)
    assert shown(index) == shown(whole)
