"""The relay's side of EVENTS: what stands there of one log, and fenced publishing behind it.

Every publish names the sequence of the log's last message in the stream and is refused when that has moved (10071): a
relay that was paused and replaced cannot publish, and a repeated publish cannot double anything.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.js.errors import NotFoundError

from linstock import names
from linstock.bus.envelope import Delivered, from_message, to_headers
from linstock.eventlog.record import Recorded

PUBLISH_TIMEOUT_S = 5.0
SENT_AT_ONCE = 32
WRONG_LAST_SEQUENCE = (10071, 10164)
STREAM_NOT_FOUND = 10059


class StreamLost(Exception):
    """The stream EVENTS is not there."""


class Fenced(Exception):
    """The log's last message in the stream is not the one that was expected; nothing was published."""


class PublishRefused(Exception):
    """JetStream refused events; nothing was published."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{self.__doc__} {error.get('description')} ({error.get('err_code')})")
        self.error = error


class Standing(Struct, frozen=True):
    """A log's last message in the stream."""

    sequence: int
    delivered: Delivered


class EventStream:
    """EVENTS as one log's relay sees it. Errors not named are nats-py's own and leave the outcome unknown."""

    def __init__(self, client: Client, log: str) -> None:
        self._client = client
        self._js = client.jetstream(timeout=PUBLISH_TIMEOUT_S)
        self._log = log
        self._subjects = names.events_of(log)

    async def last(self) -> Standing | None:
        """Asks the stream's leader. Raises StreamLost, and BadEnvelope for a message that no relay published."""
        try:
            message = await self._js.get_last_msg(names.EVENTS, self._subjects)
        except NotFoundError as error:
            if error.err_code == STREAM_NOT_FOUND:
                raise StreamLost from error
            return None
        assert message.seq is not None
        delivered = from_message(message.headers, message.data or b"", subject=message.subject or self._subjects)
        return Standing(message.seq, delivered)

    async def publish(self, events: Sequence[Recorded], *, previous: int, epoch: UUID, behind: int) -> int:
        """All or nothing, in order, behind sequence `behind` (0: the log's first). The new last sequence.

        Raises Fenced, StreamLost and PublishRefused.
        """
        headers = chained(events, previous, epoch)
        headers[0]["Nats-Expected-Last-Subject-Sequence"] = str(behind)
        headers[0]["Nats-Expected-Last-Subject-Sequence-Subject"] = self._subjects
        if len(events) > 1:
            batch = uuid4().hex
            for number, header in enumerate(headers, 1):
                header["Nats-Batch-Id"] = batch
                header["Nats-Batch-Sequence"] = str(number)
            headers[-1]["Nats-Batch-Commit"] = "1"
        for number, (event, header) in enumerate(zip(events[:-1], headers, strict=False), 1):
            await self._client.publish(self._subject(event), bytes(event.data), headers=header)
            if number % SENT_AT_ONCE == 0:
                await asyncio.sleep(0)  # else nats-py sends nothing before the last one is encoded
        return await self._commit(events[-1], headers[-1])

    async def _commit(self, event: Recorded, headers: dict[str, str]) -> int:
        subject = self._subject(event)
        try:
            reply = await self._client.request(subject, bytes(event.data), PUBLISH_TIMEOUT_S, headers=headers)
        except NoRespondersError as error:
            raise StreamLost from error
        answer = msgspec.json.decode(reply.data, type=dict[str, Any])
        if refusal := answer.get("error"):
            raise Fenced if refusal.get("err_code") in WRONG_LAST_SEQUENCE else PublishRefused(refusal)
        sequence: int = answer["seq"]
        return sequence

    def _subject(self, event: Recorded) -> str:
        return names.event_subject(self._log, event.workspace, event.type)


def chained(events: Sequence[Recorded], previous: int, epoch: UUID) -> list[dict[str, str]]:
    """Headers in which each event names its predecessor."""
    headers = []
    for event in events:
        headers.append(to_headers(event, previous=previous, epoch=epoch))
        previous = event.position
    return headers
