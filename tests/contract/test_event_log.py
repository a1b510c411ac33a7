"""What every log promises, bound to Postgres and to memory."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from linstock.eventlog.log import EventLog, Snapshot
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import (
    Append,
    EventTooLarge,
    FutureInstant,
    Origin,
    VersionConflict,
)
from linstock.messages.message import Message

AT = datetime(2026, 3, 29, 1, 30, 0, 250_000, tzinfo=UTC)


class Noted(Message, tag="linstock.diary.noted.v1"):
    text: str


@pytest.fixture(params=["postgres", "memory"])
async def log(request: pytest.FixtureRequest) -> AsyncIterator[EventLog]:
    if request.param == "memory":
        yield MemoryLog("library")
        return
    log = await PostgresLog.open("library", request.getfixturevalue("database_url"))
    yield log
    await log.close()


def origin(**changes: object) -> Origin:
    values: dict[str, object] = {"workspace": "default", "actor": "anna", "at": AT, "correlation_id": uuid4()}
    return Origin(**{**values, **changes})  # type: ignore[arg-type]


def notes(diary: UUID, *texts: str, at_version: int = 0) -> Append:
    events = [Noted(text=text) for text in texts]
    return Append(aggregate="diary", aggregate_id=diary, expected_version=at_version, events=events)


async def texts_of(log: EventLog, diary: UUID, after: int = 0) -> list[str]:
    return [msgspec.json.decode(event.data, type=Noted).text for event in await log.load(diary, after=after)]


async def test_what_was_appended_is_loaded_with_all_it_came_with(log: EventLog) -> None:
    diary, cause = uuid4(), uuid4()
    given = origin(actor="Zoë <z@x>", causation_id=cause, traceparent="00-1-2-01", workspace="acme")

    appended = await log.append([notes(diary, "dear", "diary")], given)

    assert appended == tuple(await log.load(diary))
    first, second = appended
    assert (first.version, second.version) == (1, 2)
    assert first.position < second.position
    assert first.event_id != second.event_id
    assert (first.log, first.type, first.aggregate, first.aggregate_id) == (
        "library",
        "linstock.diary.noted.v1",
        "diary",
        diary,
    )
    assert (first.workspace, first.actor, first.time, first.correlation_id) == (
        "acme",
        "Zoë <z@x>",
        AT,
        given.correlation_id,
    )
    assert (first.causation_id, first.traceparent) == (cause, "00-1-2-01")
    assert msgspec.json.decode(first.data) == {"type": "linstock.diary.noted.v1", "text": "dear"}


async def test_a_stale_version_is_refused_and_nothing_of_the_call_is_appended(log: EventLog) -> None:
    stale, fresh = uuid4(), uuid4()
    await log.append([notes(stale, "one")], origin())

    with pytest.raises(VersionConflict) as refusal:
        await log.append([notes(fresh, "new"), notes(stale, "two")], origin())

    assert stale in refusal.value.aggregate_ids
    assert await texts_of(log, stale) == ["one"]
    assert await texts_of(log, fresh) == []


async def test_a_version_ahead_of_the_log_is_refused_so_versions_have_no_holes(log: EventLog) -> None:
    diary = uuid4()
    await log.append([notes(diary, "one")], origin())

    with pytest.raises(VersionConflict) as refusal:
        await log.append([notes(diary, "three", at_version=2)], origin())

    assert refusal.value.aggregate_ids == (diary,)
    assert await texts_of(log, diary) == ["one"]


async def test_an_instant_in_the_future_is_refused(log: EventLog) -> None:
    diary = uuid4()
    with pytest.raises(FutureInstant):
        await log.append([notes(diary, "too soon")], origin(), not_before=datetime.now(UTC) + timedelta(minutes=1))

    assert await texts_of(log, diary) == []


async def test_an_instant_that_has_come_is_appended(log: EventLog) -> None:
    diary = uuid4()
    await log.append([notes(diary, "now")], origin(), not_before=datetime.now(UTC) - timedelta(seconds=1))

    assert await texts_of(log, diary) == ["now"]
