"""The relay on real servers: order, resumption, fencing, and every way in which it may not be trusted."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest
from nats.aio.client import Client

from linstock import names
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.relay import Relay
from linstock.eventlog.stream import EventStream, Fenced
from linstock.eventlog.tail import Tail
from tests.integration.eventlog.conftest import InEvents, StartRelay
from tests.support.diary import notes, origin, text_of, write
from tests.support.waiting import becomes


async def texts(in_events: InEvents) -> list[str]:
    return [text_of(event.recorded) for event in await in_events()]


async def halted(relay: Relay) -> bool:
    return "went back in time" in (relay.problem or "")


async def test_events_arrive_in_order_with_everything_they_came_with(
    log: PostgresLog, start_relay: StartRelay, in_events: InEvents
) -> None:
    before = await write(log, "a", "b")
    await start_relay()
    after = await log.append([notes(uuid4(), "c", "d")], origin(actor="Zoë\r\nX-Evil: 1", causation_id=uuid4()))

    await becomes(lambda: texts(in_events), ["a", "b", "c", "d"])

    delivered = await in_events()
    assert [event.recorded for event in delivered] == [*before, *after]
    assert [event.previous for event in delivered] == [0, *(event.recorded.position for event in delivered[:-1])]
    assert {event.epoch for event in delivered} == {await log.epoch()}


async def test_positions_with_holes_make_an_unbroken_chain(
    log: PostgresLog, start_relay: StartRelay, in_events: InEvents
) -> None:
    taken = (await write(log, "a"))[0].aggregate_id
    outcomes = await asyncio.gather(
        *(log.append([notes(taken, "refused")], origin()) for _ in range(5)), return_exceptions=True
    )
    assert all(isinstance(outcome, Exception) for outcome in outcomes)
    (last,) = await write(log, "b")
    await start_relay()

    await becomes(lambda: texts(in_events), ["a", "b"])

    first, second = await in_events()
    assert last.position > first.recorded.position + 1
    assert second.previous == first.recorded.position


async def test_what_another_process_appends_is_relayed_too(
    log: PostgresLog, start_relay: StartRelay, in_events: InEvents, database_url: str
) -> None:
    await start_relay()
    other = await PostgresLog.open(names.LIBRARY, database_url)
    await write(other, "from elsewhere")
    await becomes(lambda: texts(in_events), ["from elsewhere"])
    await other.close()


async def test_more_than_a_batch_is_carried_over_once_and_in_order(
    log: PostgresLog, start_relay: StartRelay, client: Client
) -> None:
    diary = uuid4()
    for first in range(0, 1300, 325):
        await log.append(
            [notes(diary, *(str(number) for number in range(first, first + 325)), at_version=first)], origin()
        )
    relay = await start_relay()

    await becomes(lambda: relay.lag().active and relay.lag().behind == 0, expected=True)

    state = (await client.jetstream().stream_info(names.EVENTS)).state
    last = await EventStream(client, names.LIBRARY).last()
    assert state.messages == 1300
    assert last is not None
    assert last.delivered.recorded.version == 1300


async def test_large_events_go_in_several_batches(log: PostgresLog, start_relay: StartRelay, client: Client) -> None:
    for _ in range(8):
        await write(log, "x" * 700_000)
    relay = await start_relay()

    await becomes(lambda: relay.lag().active and relay.lag().behind == 0, expected=True)

    assert (await client.jetstream().stream_info(names.EVENTS)).state.messages == 8


async def test_one_relay_is_active_and_the_next_takes_over(
    log: PostgresLog, start_relay: StartRelay, in_events: InEvents
) -> None:
    first = await start_relay()
    await becomes(lambda: first.lag().active, expected=True)
    second = await start_relay()
    await write(log, "a")
    await becomes(lambda: texts(in_events), ["a"])
    assert not second.lag().active
    assert second.problem is None

    await first.stop()
    await write(log, "b")

    await becomes(lambda: texts(in_events), ["a", "b"])
    assert second.lag().active


async def test_a_relay_that_was_replaced_is_refused(
    log: PostgresLog, start_relay: StartRelay, client: Client, in_events: InEvents
) -> None:
    """The zombie read the log, was paused, and wakes up after another relay has gone on."""
    events = await write(log, "a", "b")
    zombie, epoch = EventStream(client, names.LIBRARY), await log.epoch()
    await start_relay()
    await becomes(lambda: texts(in_events), ["a", "b"])

    for late in (events, events[:1]):  # as a batch and as a single message
        with pytest.raises(Fenced):
            await zombie.publish(late, previous=0, epoch=epoch, behind=0)

    assert await texts(in_events) == ["a", "b"]


async def test_a_relay_that_was_killed_between_publish_and_confirm_doubles_nothing(
    log: PostgresLog, start_relay: StartRelay, client: Client, in_events: InEvents
) -> None:
    events = await write(log, "a", "b", "c")
    # What the killed relay did: its publish arrived, but it never knew.
    await EventStream(client, names.LIBRARY).publish(events[:2], previous=0, epoch=await log.epoch(), behind=0)

    await start_relay()

    await becomes(lambda: texts(in_events), ["a", "b", "c"])
    assert [event.previous for event in await in_events()] == [0, events[0].position, events[1].position]


async def test_a_batch_is_all_or_nothing(log: PostgresLog, client: Client, in_events: InEvents) -> None:
    events = await write(log, "a", "b")
    with pytest.raises(Fenced):
        await EventStream(client, names.LIBRARY).publish(events, previous=0, epoch=await log.epoch(), behind=7)

    assert await texts(in_events) == []


async def test_a_lost_stream_is_noticed_made_again_and_filled(
    log: PostgresLog, start_relay: StartRelay, client: Client, in_events: InEvents
) -> None:
    await write(log, "a", "b")
    await start_relay()
    await becomes(lambda: texts(in_events), ["a", "b"])
    before = await in_events()

    await client.jetstream().delete_stream(names.EVENTS)

    await becomes(lambda: texts(in_events), ["a", "b"], timeout_s=5)
    assert await in_events() == before


async def test_a_postgres_that_lost_the_last_events_is_not_relayed(
    log: PostgresLog,
    start_relay: StartRelay,
    connection: asyncpg.Connection,
    in_events: InEvents,
) -> None:
    await write(log, "a", "b", "lost")
    first = await start_relay()
    await becomes(lambda: texts(in_events), ["a", "b", "lost"])
    await first.stop()
    await connection.execute("DELETE FROM library.stored_events WHERE notification_id = 3")

    relay = await start_relay()

    await becomes(lambda: halted(relay), expected=True)
    assert not relay.lag().active


async def test_a_postgres_that_went_another_way_is_not_relayed(
    log: PostgresLog,
    start_relay: StartRelay,
    connection: asyncpg.Connection,
    in_events: InEvents,
) -> None:
    """The restored log has grown past the lost position: only the event's id tells."""
    await write(log, "a", "lost")
    first = await start_relay()
    await becomes(lambda: texts(in_events), ["a", "lost"])
    await first.stop()
    await connection.execute("DELETE FROM library.stored_events WHERE notification_id = 2")
    await connection.execute("SELECT setval('library.stored_events_notification_id_seq', 1)")
    rewritten = await write(log, "another", "more")
    assert [event.position for event in rewritten] == [2, 3]

    relay = await start_relay()

    await becomes(lambda: halted(relay), expected=True)
    assert await texts(in_events) == ["a", "lost"]


async def test_an_epoch_that_was_renewed_alone_stops_the_relay(
    log: PostgresLog,
    start_relay: StartRelay,
    connection: asyncpg.Connection,
    in_events: InEvents,
) -> None:
    await write(log, "a")
    relay = await start_relay()
    await becomes(lambda: texts(in_events), ["a"])

    await connection.execute("UPDATE library.epoch SET epoch = gen_random_uuid()")
    await write(log, "b")

    await becomes(lambda: halted(relay), expected=True)
    assert await texts(in_events) == ["a"]


async def test_a_relay_whose_postgres_connection_is_cut_goes_on(
    log: PostgresLog,
    start_relay: StartRelay,
    connection: asyncpg.Connection,
    in_events: InEvents,
) -> None:
    relay = await start_relay()
    await becomes(lambda: relay.lag().active, expected=True)

    await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
    await write(log, "a")

    await becomes(lambda: texts(in_events), ["a"])


async def test_only_one_tail_of_a_log_exists(log: PostgresLog, database_url: str) -> None:
    first = await Tail.take(database_url, log.name, log.ring_from)
    assert first is not None
    assert await Tail.take(database_url, log.name, log.ring_from) is None
    await first.close()
    second = await Tail.take(database_url, log.name, log.ring_from)
    assert second is not None
    await second.close()


async def test_stopping_carries_over_what_was_appended(
    log: PostgresLog, start_relay: StartRelay, in_events: InEvents
) -> None:
    relay = await start_relay()
    await becomes(lambda: relay.lag().active, expected=True)
    await write(log, "a", "b")

    await relay.stop()
    await relay.stop()

    assert await texts(in_events) == ["a", "b"]
