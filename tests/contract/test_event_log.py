"""What every log promises, bound to Postgres and to memory."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from linstock.eventlog.log import EventLog, Snapshot
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Append, EventTooLarge, FutureInstant, Origin, Recorded, VersionConflict
from linstock.messages.message import Message
from tests.support.diary import AT, notes, origin, text_of, texts_of, write


class Mistagged(Message, frozen=True, tag="Noted"):
    text: str = ""


@pytest.fixture(params=["postgres", "memory"])
async def log(request: pytest.FixtureRequest) -> AsyncIterator[EventLog]:
    if request.param == "memory":
        yield MemoryLog("library")
        return
    log = await PostgresLog.open("library", request.getfixturevalue("database_url"))
    yield log
    await log.close()


async def test_what_was_appended_is_loaded_with_all_it_came_with(log: EventLog) -> None:
    diary, cause = uuid4(), uuid4()
    given = origin(actor="Zoë <z@x>", causation_id=cause, traceparent="00-1-2-01", workspace="acme")

    appended = await log.append([notes(diary, "dear", "diary")], given)

    assert appended == tuple(await log.load(diary))
    first, second = appended
    assert first == Recorded(
        log="library",
        position=first.position,
        event_id=first.event_id,
        type="linstock.diary.noted.v1",
        time=AT,
        workspace="acme",
        aggregate="diary",
        aggregate_id=diary,
        version=1,
        actor="Zoë <z@x>",
        correlation_id=given.correlation_id,
        causation_id=cause,
        traceparent="00-1-2-01",
        data=msgspec.Raw(b'{"type":"linstock.diary.noted.v1","text":"dear"}'),
    )
    assert second.version == 2
    assert second.position > first.position
    assert second.event_id != first.event_id


async def test_one_call_appends_to_several_aggregates_or_to_none(log: EventLog) -> None:
    one, two = uuid4(), uuid4()
    await log.append([notes(one, "a"), notes(two, "b", "c")], origin())

    assert [text_of(event) for event in await log.read(0)] == ["a", "b", "c"]
    with pytest.raises(VersionConflict) as refusal:
        await log.append([notes(uuid4(), "x"), notes(two, "y", at_version=1)], origin())
    assert two in refusal.value.aggregate_ids
    assert [text_of(event) for event in await log.read(0)] == ["a", "b", "c"]


async def test_an_append_without_events_changes_nothing(log: EventLog) -> None:
    diary = uuid4()
    assert await log.append([notes(diary)], origin()) == ()
    assert await log.append([], origin()) == ()
    assert await log.last_position() == 0


async def test_a_version_ahead_of_the_log_is_refused_so_versions_have_no_holes(log: EventLog) -> None:
    diary = uuid4()
    await log.append([notes(diary, "one")], origin())

    with pytest.raises(VersionConflict) as refusal:
        await log.append([notes(diary, "three", at_version=2)], origin())

    assert refusal.value.aggregate_ids == (diary,)
    assert await texts_of(log, diary) == ["one"]


async def test_of_many_who_append_to_one_version_one_wins_and_the_others_are_told(log: EventLog) -> None:
    diary = uuid4()
    tries = (log.append([notes(diary, f"from {caller}")], origin()) for caller in range(20))
    outcomes = await asyncio.gather(*tries, return_exceptions=True)

    won = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, VersionConflict)]
    assert (len(won), len(lost)) == (1, 19)
    assert all(refusal.aggregate_ids == (diary,) for refusal in lost)
    assert await log.load(diary) == list(won[0])


async def test_a_refusal_hits_only_the_guilty_of_those_who_append_at_once(log: EventLog) -> None:
    taken = uuid4()
    await log.append([notes(taken, "first")], origin())
    future = datetime.now(UTC) + timedelta(minutes=1)

    async def append(caller: int) -> str:
        diary = taken if caller % 7 == 0 else uuid4()
        try:
            not_before = future if caller % 5 == 0 else None
            await log.append([notes(diary, str(caller))], origin(), not_before=not_before)
        except (VersionConflict, FutureInstant) as error:
            return type(error).__name__
        return "appended"

    outcomes = await asyncio.gather(*(append(caller) for caller in range(60)))

    for caller, outcome in enumerate(outcomes):
        guilty = caller % 7 == 0 or caller % 5 == 0
        assert (outcome != "appended") == guilty, (caller, outcome)
    assert len(await log.read(0)) == 1 + outcomes.count("appended")


async def test_an_instant_in_the_future_is_refused(log: EventLog) -> None:
    with pytest.raises(FutureInstant):
        await log.append([notes(uuid4(), "soon")], origin(), not_before=datetime.now(UTC) + timedelta(minutes=1))

    assert await log.read(0) == []


async def test_an_instant_that_has_come_is_appended(log: EventLog) -> None:
    diary = uuid4()
    await log.append([notes(diary, "now")], origin(), not_before=datetime.now(UTC) - timedelta(seconds=1))

    assert await texts_of(log, diary) == ["now"]


async def test_one_event_may_have_768_kib_and_no_more(log: EventLog) -> None:
    frame = len(b'{"type":"linstock.diary.noted.v1","text":""}')
    limit = 768 * 1024 - frame
    diary = uuid4()
    await log.append([notes(diary, "x" * limit)], origin())

    with pytest.raises(EventTooLarge) as refusal:
        await log.append([notes(uuid4(), "fits"), notes(diary, "x" * (limit + 1), at_version=1)], origin())

    assert refusal.value.size_bytes == 768 * 1024 + 1
    assert len(await log.read(0)) == 1


@pytest.mark.parametrize("workspace", ["", "a.b", "*", ">", "a b", "ä", "x" * 65])
async def test_a_workspace_that_no_subject_can_hold_is_never_appended(log: EventLog, workspace: str) -> None:
    with pytest.raises(ValueError, match="not a workspace"):
        await log.append([notes(uuid4(), "x")], origin(workspace=workspace))

    assert await log.last_position() == 0


async def test_a_message_that_is_no_event_is_never_appended(log: EventLog) -> None:
    append = Append(aggregate="diary", aggregate_id=uuid4(), expected_version=0, events=[Mistagged()])
    with pytest.raises(ValueError, match="not an event"):
        await log.append([append], origin())


async def test_loading_after_a_version_gives_the_rest(log: EventLog) -> None:
    diary = uuid4()
    await log.append([notes(diary, "a", "b", "c")], origin())

    assert await texts_of(log, diary, after=2) == ["c"]
    assert await texts_of(log, diary, after=3) == []
    assert await texts_of(log, uuid4()) == []


async def test_reading_goes_on_where_it_ended(log: EventLog) -> None:
    written = await write(log, "a", "b", "c", "d", "e")

    page = await log.read(0, limit=2)
    rest = await log.read(page[-1].position)

    assert page + rest == list(written)
    assert await log.last_position() == written[-1].position
    assert await log.read(written[-1].position) == []


async def test_waiting_ends_when_something_is_appended(log: EventLog) -> None:
    (first,) = await write(log, "a")
    waiting = asyncio.create_task(log.wait(first.position, timeout_s=30))
    await asyncio.sleep(0)

    await write(log, "b")

    assert await asyncio.wait_for(waiting, 10)


async def test_waiting_for_what_is_there_ends_at_once(log: EventLog) -> None:
    await write(log, "a")
    assert await asyncio.wait_for(log.wait(0, timeout_s=30), 10)


async def test_waiting_gives_up(log: EventLog) -> None:
    (first,) = await write(log, "a")
    assert not await log.wait(first.position, timeout_s=0.01)


async def test_the_newest_snapshot_is_kept(log: EventLog) -> None:
    diary = uuid4()
    assert await log.snapshot(diary) is None

    for version, state in ((100, b"old"), (200, b"new"), (150, b"late")):
        await log.save_snapshot(diary, Snapshot(version=version, shape="1", state=state))

    assert await log.snapshot(diary) == Snapshot(version=200, shape="1", state=b"new")


async def test_a_snapshot_of_another_shape_replaces_one_of_the_same_version(log: EventLog) -> None:
    diary = uuid4()
    await log.save_snapshot(diary, Snapshot(version=100, shape="1", state=b"one"))
    await log.save_snapshot(diary, Snapshot(version=100, shape="2", state=b"two"))

    assert await log.snapshot(diary) == Snapshot(version=100, shape="2", state=b"two")


async def test_the_epoch_stays(log: EventLog) -> None:
    epoch = await log.epoch()
    await write(log, "a")
    assert await log.epoch() == epoch


async def test_a_cancelled_caller_disturbs_nobody(log: EventLog) -> None:
    callers = [asyncio.create_task(write(log, str(number))) for number in range(40)]
    await asyncio.sleep(0)
    for caller in callers[::2]:
        caller.cancel()

    outcomes = await asyncio.gather(*callers, return_exceptions=True)

    kept = {text_of(outcome[0]) for outcome in outcomes if not isinstance(outcome, BaseException)}
    assert {str(number) for number in range(1, 40, 2)} <= kept
    assert kept <= {text_of(event) for event in await log.read(0)}


def test_an_origin_names_all_there_is() -> None:
    """A new field of Origin must be stored: extend the envelope, then this."""
    fields = {"workspace", "actor", "at", "correlation_id", "causation_id", "traceparent"}
    assert set(Origin.__struct_fields__) == fields
