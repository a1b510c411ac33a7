"""Backfills on real servers: in line one after another, and once, whichever replica does it and whoever else asks."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from msgspec.structs import replace

from linstock import names
from linstock.bus.commands import CommandSender, Pending
from linstock.eventlog.record import Append
from linstock.messages.answer import Answer
from linstock.messages.job import JobSucceeded, ScanRequested
from linstock.messages.rules import Rules
from linstock.messages.schedule import ScheduleBackfilled, TickFired
from linstock.messages.schedule_commands import BackfillSchedule
from services.scheduler.app import Limits
from tests.support.scheduler import Rig, rig
from tests.support.schedules import defined

PATIENT = Limits(lease_timeout_s=60, again_after_s=0.5)
HOUR = timedelta(hours=1)


async def scheduled(world: Rig, cron: str, cursor: datetime, **rules: object) -> UUID:
    event = replace(defined(library_id=uuid4(), cron=cron, cursor=cursor), rules=Rules(**rules))  # type: ignore[arg-type]
    await world.log.append(
        [Append(aggregate="schedule", aggregate_id=event.schedule_id, expected_version=0, events=[event])]
    )
    return event.schedule_id


async def sender_of(world: Rig) -> CommandSender:
    sender = CommandSender(world.client)
    await sender.start()
    return sender


async def asked(sender: CommandSender, schedule_id: UUID, first: datetime, last: datetime) -> Answer:
    command = BackfillSchedule(schedule_id=schedule_id, first=first, last=last)
    answer = await sender.send(names.SCHEDULER, "default", command, actor="ann", wait_s=20)
    assert not isinstance(answer, Pending)
    return answer


async def test_the_oldest_first_and_one_after_another(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world:
        await world.scheduler(PATIENT)
        sender = await sender_of(world)
        last = (await world.postgres_time()).replace(minute=0, second=0, microsecond=0) - HOUR
        schedule_id = await scheduled(world, "0 * * * *", last + HOUR)
        worker = await world.worker(slots=4)
        answer = await asked(sender, schedule_id, last - 2 * HOUR, last)
        assert (answer.status, [each.outcome for each in answer.instants]) == (200, ["fires"] * 3)
        for number, instant in enumerate(answer.instants, 1):
            order = await worker.order()
            assert order == (instant.run_id, 1)
            await worker.report(await worker.claim(*order))
            await world.log.wait_for(JobSucceeded, number)
        [event] = await world.log.of(ScheduleBackfilled)
        assert event.instants == (last - 2 * HOUR, last - HOUR, last)


async def test_many_at_once_on_two_replicas_beside_ticks_run_each_instant_once(
    nats_url: str, database_url: str
) -> None:
    """The schedule is due each second, and what is asked for reaches up to now: ticks and backfills meet."""
    async with rig(nats_url, database_url) as world:
        await world.scheduler(PATIENT)
        await world.scheduler(PATIENT)
        sender = await sender_of(world)
        now = (await world.postgres_time()).replace(microsecond=0)
        schedule_id = await scheduled(world, "* * * * * *", now, overlap="buffer_all", buffer_limit=1000)
        await world.log.wait_for(TickFired, 2)
        for _ in range(3):
            until = await world.postgres_time() - timedelta(seconds=0.2)  # by any replica's clock
            spans = [(now - timedelta(seconds=back), until) for back in (10, 20, 20, 30)]
            answers = await asyncio.gather(*(asked(sender, schedule_id, *span) for span in spans))
            assert {answer.status for answer in answers} == {200}
        requests = await world.log.of(ScanRequested)
        assert set(Counter(each.instant for each in requests).values()) == {1}
        fired = {each.instant for each in await world.log.of(TickFired)}
        made_up = [instant for each in await world.log.of(ScheduleBackfilled) for instant in each.instants]
        assert len(made_up) == len(set(made_up))
        assert not fired & set(made_up)
        assert set(made_up) >= {now - timedelta(seconds=back) for back in range(1, 31)}
