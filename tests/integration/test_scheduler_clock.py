"""The whole scheduler while Postgres's clock is set forward and back by an hour."""

from collections import Counter
from datetime import datetime, timedelta

from linstock import names
from linstock.messages.job import JobSucceeded, JobTimedOut
from linstock.messages.schedule import TickFired, TicksSkipped
from services.scheduler.app import Limits
from tests.support.scheduler import Rig, Scheduler, rig
from tests.support.schedules import settings
from tests.support.stepped_clock import SteppedClock
from tests.support.waiting import becomes

EVERY_MINUTE, EVERY_SECOND = "* * * * *", "* * * * * *"
HOUR = timedelta(hours=1)
PATIENT = Limits(lease_timeout_s=60, again_after_s=60)


async def decided(world: Rig) -> Counter[datetime]:
    """How often each instant of the one per-second schedule got a verdict."""
    instants = Counter(tick.instant for tick in await world.log.of(TickFired))
    for run in await world.log.of(TicksSkipped):
        instants.update(run.first + timedelta(seconds=second) for second in range(run.count))
    return instants


async def test_a_step_forward_fires_once_and_accounts_for_all_instants_in_between(
    nats_url: str, database_url: str
) -> None:
    clock = SteppedClock(database_url)
    async with rig(nats_url, database_url) as world:
        clock.follow(names.SCHEDULER)
        await world.scheduler(PATIENT)
        await world.libraries.create(settings(cron=EVERY_MINUTE))
        scheduler = await world.scheduler(PATIENT)
        await scheduler.ready()
        clock.step(HOUR)
        [missed] = await world.log.wait_for(TicksSkipped)
        assert missed.reason == "misfire"
        assert missed.count in (58, 59, 60)
        # A minute may have begun just before the step.
        [caught_up] = [tick for tick in await world.log.of(TickFired) if tick.verdict == "caught_up"]
        assert caught_up.instant == missed.last + timedelta(minutes=1)
        assert caught_up.instant <= await world.postgres_time() + HOUR
        instants = await decided_minutes(world)
        assert set(instants.values()) == {1}

        async def said() -> bool:
            reasons = await scheduler.vitals.unready()
            return list(reasons) == ["clock"] and "clock is 60 min behind PostgreSQL's" in reasons["clock"]

        # Ticks go on by Postgres's clock; that this machine's is another is something to be told of.
        await becomes(said, expected=True)


async def decided_minutes(world: Rig) -> Counter[datetime]:
    instants = Counter(tick.instant for tick in await world.log.of(TickFired))
    for run in await world.log.of(TicksSkipped):
        instants.update(run.first + timedelta(minutes=minute) for minute in range(run.count))
    return instants


async def test_a_step_forward_ends_no_attempt(nats_url: str, database_url: str) -> None:
    """Its deadline is an hour of work, not an hour on a clock that was set."""
    clock = SteppedClock(database_url)
    async with rig(nats_url, database_url) as world:
        clock.follow(names.SCHEDULER)
        await world.scheduler(PATIENT)
        await world.libraries.create(settings(cron=EVERY_SECOND))
        worker = await world.worker()
        claimed = await worker.claim(*await worker.order())
        assert claimed.deadline
        deadline = claimed.deadline
        clock.step(HOUR)

        async def looked_at_much_later() -> bool:
            await worker.sign()
            skipped = await world.log.of(TicksSkipped)
            return bool(skipped) and skipped[-1].last > deadline + timedelta(seconds=3)

        await becomes(looked_at_much_later, expected=True)
        await worker.report(claimed)
        await world.log.wait_for(JobSucceeded)
        assert await world.log.of(JobTimedOut) == []


async def test_a_step_back_fires_nothing_twice_says_for_how_long_and_ends_when_the_clock_is_right(
    nats_url: str, database_url: str
) -> None:
    clock = SteppedClock(database_url)
    async with rig(nats_url, database_url) as world:
        clock.follow(names.SCHEDULER)
        scheduler = await world.scheduler(PATIENT)
        await world.libraries.create(settings(cron=EVERY_SECOND))
        await world.log.wait_for(TickFired)
        await becomes(lambda: reason(scheduler), None)
        clock.step(-HOUR)

        async def said() -> bool:
            return "set back" in (await reason(scheduler) or "")

        await becomes(said, expected=True)
        sentence = await reason(scheduler)
        assert sentence
        assert "in 60 min" in sentence
        assert "PostgreSQL's clock was set back; schedules wait until it shows" in sentence
        stands = await decided(world)
        asked = await world.postgres_time()

        async def three_more() -> bool:
            return await world.postgres_time() - asked > timedelta(seconds=3)

        await becomes(three_more, expected=True)
        assert await decided(world) == stands, "an instant before the cursor was decided"

        clock.step(HOUR)

        async def goes_on() -> bool:
            return len(await decided(world)) >= len(stands) + 3

        await becomes(goes_on, expected=True)
        await becomes(lambda: reason(scheduler), None)
        instants = await decided(world)
    assert set(instants.values()) == {1}
    assert len(instants) == (max(instants) - min(instants)).total_seconds() + 1, "an instant has no verdict"


async def reason(scheduler: Scheduler) -> str | None:
    return (await scheduler.vitals.unready()).get("ticks")
