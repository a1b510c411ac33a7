"""A small aggregate for tests of the log: a diary that notes are written in."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec

from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Append, Origin, Recorded
from linstock.messages.message import Message

AT = datetime(2026, 3, 29, 1, 30, 0, 250_000, tzinfo=UTC)


class Noted(Message, frozen=True, tag="linstock.diary.noted.v1"):
    text: str


def origin(
    *,
    workspace: str = "default",
    actor: str = "anna",
    causation_id: UUID | None = None,
    traceparent: str | None = None,
) -> Origin:
    return Origin(
        workspace=workspace,
        actor=actor,
        at=AT,
        correlation_id=uuid4(),
        causation_id=causation_id,
        traceparent=traceparent,
    )


def notes(diary: UUID, *texts: str, at_version: int = 0) -> Append:
    events = [Noted(text=text) for text in texts]
    return Append(aggregate="diary", aggregate_id=diary, expected_version=at_version, events=events)


async def write(log: EventLog, *texts: str) -> tuple[Recorded, ...]:
    """Each text into a diary of its own, one after the other."""
    written: tuple[Recorded, ...] = ()
    for text in texts:
        written += await log.append([notes(uuid4(), text)], origin())
    return written


def text_of(event: Recorded) -> str:
    return msgspec.json.decode(event.data, type=Noted).text


async def texts_of(log: EventLog, diary: UUID, after: int = 0) -> list[str]:
    return [text_of(event) for event in await log.load(diary, after=after)]
