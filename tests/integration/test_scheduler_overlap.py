"""What waits for an open scan, on real servers: its order comes when all before it have ended, whoever dispatches."""

from datetime import timedelta
from uuid import UUID, uuid4

from msgspec.structs import replace

from linstock import names
from linstock.eventlog.record import Append
from linstock.messages.job import JobCancelled, JobSucceeded, ScanRequested
from linstock.messages.rules import Rules
from linstock.messages.schedule import SchedulePaused, TickFired, TicksSkipped
from services.scheduler.app import Limits
from tests.support.scheduler import Rig, rig
from tests.support.schedules import defined
from tests.support.waiting import becomes

PATIENT = Limits(lease_timeout_s=60, again_after_s=0.5)


async def ruled(world: Rig, **rules: object) -> UUID:
    """A library's schedule that is due each second from now on."""
    library_id = uuid4()
    now = await world.postgres_time()
    event = replace(defined(library_id=library_id, cron="* * * * * *", cursor=now), rules=Rules(**rules))  # type: ignore[arg-type]
    append = Append(aggregate="schedule", aggregate_id=event.schedule_id, expected_version=0, events=[event])
    await world.log.append([append])
    return library_id


async def standing(world: Rig) -> int:
    """Orders on WORK that nobody took."""
    info = await world.client.jetstream().consumer_info(names.WORK, names.work_durable(names.SCAN_QUEUE))
    return info.num_pending or 0


async def test_buffered_scans_run_one_after_another_also_after_a_restart(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world:
        first = await world.scheduler(PATIENT)
        await ruled(world, overlap="buffer_all", buffer_limit=2)
        worker = await world.worker(slots=4)
        order = await worker.order()
        granted = await worker.claim(*order)
        asked = await world.log.wait_for(ScanRequested, 3)
        await world.log.wait_for(TicksSkipped)  # two wait; no third may
        assert [scan.waits for scan in asked] == [False, True, True]
        assert (order[0], await standing(world)) == (asked[0].job_id, 0)
        await first.stop()

        await world.scheduler(PATIENT)
        await world.log.wait_for(TicksSkipped, 3)
        assert (len(await world.log.of(ScanRequested)), await standing(world)) == (3, 0)
        for expected in asked[1:]:
            await worker.report(granted)
            order = await worker.order()
            assert order == (expected.job_id, 1)
            granted = await worker.claim(*order)
        await world.log.wait_for(JobSucceeded, 2)
        assert {scan.schedule_id for scan in asked} == {tick.schedule_id for tick in await world.log.of(TickFired)}


async def test_the_next_run_takes_the_place_of_the_open_one(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world:
        await world.scheduler(PATIENT)
        await ruled(world, overlap="terminate_other", max_runs=2)
        worker = await world.worker()
        granted = await worker.claim(*await worker.order())
        [cancelled] = await world.log.wait_for(JobCancelled)
        assert cancelled.job_id == granted.job_id
        [_, second] = await world.log.wait_for(ScanRequested, 2)
        assert await worker.order() == (second.job_id, 1)
        assert (await worker.claim(second.job_id)).granted
        await becomes(lambda: standing(world), 0)


async def test_runs_that_fail_in_a_row_pause_the_schedule(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world:
        await world.scheduler(PATIENT)
        await ruled(world, pause_after_failures=2)
        worker = await world.worker()
        for _ in range(2):
            await worker.report(await worker.claim(*await worker.order()), succeeded=False, final=True)
        [paused] = await world.log.wait_for(SchedulePaused)
        assert paused.reason == "2 runs in a row failed"
        fired = await world.log.of(TickFired)
        later = max(tick.instant for tick in fired) + timedelta(seconds=3)

        async def is_later() -> bool:
            return await world.postgres_time() >= later

        await becomes(is_later, expected=True)
        assert len(await world.log.of(TickFired)) == len(fired)
