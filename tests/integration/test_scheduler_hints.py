"""From hints to one scan, on real servers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from linstock import names
from linstock.bus.commands import CommandSender
from linstock.messages.answer import Answer
from linstock.messages.hints import HintPaths, HintsReceived, HintsTaken
from linstock.messages.job import JobSucceeded, ScanRequested
from linstock.messages.schedule import ScanPath, ScheduleDefined, ScheduleDeleted
from services.scheduler.app import Limits
from services.scheduler.hints import Patience
from tests.support.scheduler import Rig, rig
from tests.support.schedules import settings

SOON = Limits(
    lease_timeout_s=60,
    again_after_s=0.5,
    patience=Patience(quiet=timedelta(seconds=0.4), longest=timedelta(seconds=10)),
)


@pytest.fixture
async def world(nats_url: str, database_url: str) -> AsyncIterator[Rig]:
    async with rig(nats_url, database_url) as made:
        yield made


async def library(world: Rig) -> UUID:
    library_id = await world.libraries.create(settings(auto_scan=False))
    await world.log.wait_for(ScheduleDefined, aggregate_id=names.schedule_of(library_id))
    return library_id


async def hint(world: Rig, library_id: UUID, *named: str, key: str | None = None) -> Answer:
    command = HintPaths(library_id=library_id, paths=tuple(ScanPath(path=each) for each in named))
    sender = CommandSender(world.client)
    await sender.start()
    answer = await sender.send(
        names.SCHEDULER, names.DEFAULT_WORKSPACE, command, actor="test", idempotency_key=key or uuid4().hex, wait_s=10
    )
    assert isinstance(answer, Answer)
    return answer


async def scanned(world: Rig) -> list[tuple[str, list[str]]]:
    return [(each.triggered_by, [path.path for path in each.scope]) for each in await world.log.of(ScanRequested)]


async def test_hints_of_three_replicas_become_one_scan_of_what_they_named(world: Rig) -> None:
    patient = replace(SOON, patience=Patience(quiet=timedelta(seconds=3), longest=timedelta(seconds=30)))
    for _ in range(3):
        await world.scheduler(patient)
    library_id = await library(world)
    answers = await asyncio.gather(*(hint(world, library_id, f"a/{number}.jpg", "b") for number in range(20)))
    assert {answer.status for answer in answers} == {202}
    [request] = await world.log.wait_for(ScanRequested)
    [taken] = await world.log.wait_for(HintsTaken)
    assert (request.triggered_by, request.waits, request.target.library_id) == ("Hint", True, library_id)
    assert {path.path for path in request.scope} == {"b", *(f"a/{number}.jpg" for number in range(20))}
    assert (taken.job_id, len(await world.log.of(HintsReceived))) == (request.job_id, 20)


async def test_a_hint_that_is_sent_again_is_noted_once(world: Rig) -> None:
    await world.scheduler(SOON)
    library_id = await library(world)
    assert await hint(world, library_id, "a", key="once") == await hint(world, library_id, "a", key="once")
    await world.log.wait_for(HintsTaken)
    assert len(await world.log.of(HintsReceived)) == 1


async def test_what_is_hinted_during_a_scan_waits_for_its_end(world: Rig) -> None:
    await world.scheduler(SOON)
    library_id, worker = await library(world), await world.worker()
    await hint(world, library_id, "a")
    job_id, attempt = await worker.order()
    claimed = await worker.claim(job_id, attempt)
    await hint(world, library_id, "b")
    await hint(world, library_id, "c")
    other = await library(world)  # another library's hints do not wait: by then ours would have been taken, too
    await hint(world, other, "d")
    await world.log.wait_for(ScanRequested, 2)
    assert await scanned(world) == [("Hint", ["a"]), ("Hint", ["d"])]
    await worker.report(claimed)
    await world.log.wait_for(JobSucceeded)
    await world.log.wait_for(ScanRequested, 3)
    assert await scanned(world) == [("Hint", ["a"]), ("Hint", ["d"]), ("Hint", ["b", "c"])]


@pytest.mark.parametrize("saved", [True, False])
async def test_hints_that_wait_outlive_their_scheduler(world: Rig, *, saved: bool) -> None:
    patient = Limits(patience=Patience(quiet=timedelta(hours=1), longest=timedelta(hours=1)))
    first = await world.scheduler(patient)
    library_id = await library(world)
    await hint(world, library_id, "a")
    if saved:
        await first.stop()  # it stores its index
    await world.scheduler(SOON)
    await world.log.wait_for(ScanRequested)
    assert await scanned(world) == [("Hint", ["a"])]


async def test_hints_at_a_deleted_library_lead_to_nothing(world: Rig) -> None:
    patient = Limits(patience=Patience(quiet=timedelta(hours=1), longest=timedelta(hours=1)))
    first = await world.scheduler(patient)
    library_id = await library(world)
    await hint(world, library_id, "a")
    await world.libraries.delete(library_id)
    await world.log.wait_for(ScheduleDeleted)
    await first.stop()
    await world.scheduler(SOON)
    [taken] = await world.log.wait_for(HintsTaken)
    assert (taken.job_id, await scanned(world)) == (None, [])


async def test_a_library_that_nobody_knows_and_a_path_outside_are_refused(world: Rig) -> None:
    await world.scheduler(SOON)
    assert (await hint(world, uuid4(), "a")).status == 404
    answer = await hint(world, await library(world), "a", "../b")
    assert (answer.status, answer.field) == (422, "paths/1")
