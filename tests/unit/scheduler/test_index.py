"""The index: what it shows is what the log says, from whatever rows it started."""

from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from linstock import names
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Append, Origin, Recorded
from linstock.messages.job import (
    JobCancelled,
    JobEvent,
    JobFailed,
    JobStarted,
    JobSucceeded,
    JobTimedOut,
    OutcomeIgnored,
)
from linstock.messages.schedule import ScheduleDisabled, ScheduleEvent, SchedulePaused
from services.scheduler.index import Index, further_of
from services.scheduler.known import KnownJob, KnownSchedule
from services.scheduler.shelf import Shelf, pack
from tests.support.schedules import JOB, LIBRARY, NOON, SCHEDULE, defined, job_requested, scan_requested, seconds

STARTED = JobStarted(job_id=JOB, attempt=1, worker="w", lease=UUID(int=1), at=NOON, deadline=NOON + seconds(60))
CANCELLED = JobCancelled(job_id=JOB, attempt=1, at=NOON, reason="x")
IGNORED = OutcomeIgnored(job_id=JOB, attempt=1, lease=UUID(int=1), outcome="failed", at=NOON)
DISABLED = ScheduleDisabled(schedule_id=SCHEDULE, library_version=2, at=NOON)


async def logged(*events: JobEvent | ScheduleEvent) -> list[Recorded]:
    log, versions = MemoryLog("scheduler"), dict[UUID, int]()
    for event in events:
        of_job = hasattr(event, "job_id")
        aggregate, aggregate_id = ("job", event.job_id) if of_job else ("schedule", SCHEDULE)  # type: ignore[union-attr]
        origin = Origin(workspace="default", actor="test", at=NOON, correlation_id=uuid4())
        append = Append(
            aggregate=aggregate,
            aggregate_id=aggregate_id,
            expected_version=versions.get(aggregate_id, 0),
            events=[event],
        )
        await log.append([append], origin)
        versions[aggregate_id] = versions.get(aggregate_id, 0) + 1
    return await log.read(0)


def fed(recorded: list[Recorded], index: Index | None = None) -> Index:
    index = index or Index()
    for each in recorded:
        index.apply(each)
    return index


def shown(index: Index) -> tuple[object, ...]:
    return (
        index.position,
        index.schedules,
        index.due,
        index.decided,
        index.jobs,
        index.running,
        index.open_jobs_of(LIBRARY),
    )


async def test_it_shows_schedules_and_open_jobs() -> None:
    index = fed(await logged(defined(), scan_requested()))
    assert list(index.due) == [SCHEDULE]
    assert index.open_jobs_of(LIBRARY) == [JOB]
    assert index.running == {}


async def test_a_job_that_runs_is_shown_as_running_and_one_that_ended_not_at_all() -> None:
    history = await logged(defined(), scan_requested(), STARTED, DISABLED, CANCELLED, IGNORED)
    assert list(fed(history[:3]).running) == [JOB]
    index = fed(history)
    assert (index.jobs, index.running, index.open_jobs_of(LIBRARY), index.due) == ({}, {}, [], {})


async def test_listeners_hear_of_every_change_after_it() -> None:
    index, heard = Index(), list[tuple[UUID, bool]]()
    index.on_job(lambda job_id: heard.append((job_id, job_id in index.jobs)))
    index.on_schedule(lambda before, known: heard.append((known.schedule_id, before is None)))
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
    opened = [msgspec.json.decode(msgspec.json.encode(known), type=KnownJob) for known in before.jobs.values()]
    restored.restore(before.position, before.decided, opened)
    for known in before.schedules.values():
        restored.shelve(known.schedule_id, pack(known), before.due.get(known.schedule_id), further_of(known))
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


def run(number: int, verdict: str) -> list[JobEvent]:
    """A run of the schedule, from its request to its end."""
    job_id, requested = UUID(int=number), scan_requested(UUID(int=number))
    started = replace(STARTED, job_id=job_id)
    match verdict:
        case "failed":
            return [requested, started, JobFailed(job_id=job_id, attempt=1, at=NOON, code="x", message="")]
        case "timed_out":
            return [requested, started, JobTimedOut(job_id=job_id, attempt=1, at=NOON)]
        case "cancelled":
            return [requested, started, replace(CANCELLED, job_id=job_id)]
        case _:
            return [requested, started, JobSucceeded(job_id=job_id, attempt=1, at=NOON, result=Raw(b"{}"))]


async def test_it_counts_failures_in_a_row() -> None:
    failed = [*run(1, "failed"), *run(2, "cancelled"), *run(3, "timed_out")]
    index, heard = Index(), list[int]()
    index.on_schedule(lambda _, known: heard.append(known.failures))
    fed(await logged(defined(), *failed), index)
    assert (index.schedules[SCHEDULE].failures, heard) == (2, [0, 1, 2])
    assert fed(await logged(defined(), *failed, *run(4, "succeeded"))).schedules[SCHEDULE].failures == 0
    paused = SchedulePaused(schedule_id=SCHEDULE, at=NOON)
    assert fed(await logged(defined(), *failed, paused, *run(5, "failed"))).schedules[SCHEDULE].failures == 1


async def test_a_scan_that_waits_has_its_turn_when_all_before_it_have_ended() -> None:
    second = replace(scan_requested(UUID(int=2), at=NOON - seconds(5)), waits=True)  # the log's order counts, no clock
    third = replace(scan_requested(UUID(int=3)), waits=True)
    index, told = Index(), list[int]()
    index.on_job(lambda job_id: told.append(job_id.int))
    fed(await logged(defined(), scan_requested(), second, third, STARTED), index)
    assert [index.has_turn(each) for each in (JOB, UUID(int=2), UUID(int=3))] == [True, False, False]
    assert index.waiting_jobs_of(SCHEDULE, LIBRARY) == 2
    told.clear()
    fed(await logged(defined(), scan_requested(), second, third, STARTED, CANCELLED), index)
    assert told == [JOB.int, 2, 3]
    assert [index.has_turn(each) for each in (UUID(int=2), UUID(int=3))] == [True, False]
    kept = Index()
    kept.restore(index.position, index.decided, list(reversed(index.jobs.values())))
    assert [kept.has_turn(each) for each in (UUID(int=2), UUID(int=3))] == [True, False]


async def test_what_serves_a_library_is_none_of_its_scans() -> None:
    enriching = replace(job_requested(UUID(int=77)), library_id=LIBRARY)
    waiting = replace(scan_requested(), waits=True)
    index = fed(await logged(enriching, waiting))
    assert index.jobs_serving(LIBRARY) == [enriching.job_id]
    assert index.open_jobs_of(LIBRARY) == [JOB]
    assert index.has_turn(JOB)  # it does not wait for the other
    assert index.jobs_serving(uuid4()) == []
    ended = JobSucceeded(job_id=enriching.job_id, attempt=1, at=NOON, result=Raw(b"{}"))
    assert fed(await logged(enriching, ended)).jobs_serving(LIBRARY) == []


async def test_of_many_schedules_those_that_did_not_change_lately_are_packed() -> None:
    shelf, known = Shelf(objects=2), dict[UUID, KnownSchedule]()
    for number in (1, 2, 3, 1, 4):
        event = defined(library_id=UUID(int=number), name=f"L{number}")
        [recorded] = await MemoryLog("scheduler").append(
            [Append(aggregate="schedule", aggregate_id=event.schedule_id, expected_version=0, events=[event])],
            Origin(workspace="default", actor="test", at=NOON, correlation_id=uuid4()),
        )
        known[event.schedule_id] = KnownSchedule.fold(None, recorded)
        shelf.keep(known[event.schedule_id])
    packed = [names.schedule_of(UUID(int=n)) for n in (1, 2, 3, 4) if isinstance(_stored(shelf, n), bytes)]
    assert packed == [names.schedule_of(UUID(int=n)) for n in (2, 3)]
    assert shelf == known
    assert all(len(pack(each)) < 250 for each in known.values())
    again = Shelf()
    for schedule_id in shelf:
        again.keep_packed(schedule_id, pack(shelf[schedule_id]))
    assert again == known
    assert names.schedule_of(UUID(int=9)) not in again


def _stored(shelf: Shelf, number: int) -> KnownSchedule | bytes:
    return shelf.stored(names.schedule_of(UUID(int=number)))
