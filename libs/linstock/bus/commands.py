"""The caller's side of commands: publish, wait a second for the answer, else say that it will happen."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import nats.errors
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import APIError

from linstock import names
from linstock.bus import command_headers
from linstock.disk import Disk
from linstock.logs import get_logger
from linstock.messages.answer import Answer
from linstock.messages.message import Message

logger = get_logger(__name__)

STORED_WITHIN_S = 2.0
ATTEMPTS = 2


class Pending(Struct, frozen=True):
    """Stored, not answered yet: it happens later, and `/operations/<command_id>` will say how it went."""

    command_id: UUID


class BusAway(Exception):
    """The command could not be stored, or nobody knows; send it again under the same idempotency key."""


class CommandSender:
    """Sends commands on one connection, with one reply subscription for all of them. Call `start` once."""

    def __init__(self, client: Client, *, disk: Disk | None = None, new_id: Callable[[], UUID] = uuid4) -> None:
        self._client = client
        self._disk = disk or Disk(None)
        self._js = client.jetstream()
        self._new_id = new_id
        self._inbox = client.new_inbox()
        self._waiting: dict[str, asyncio.Future[Answer]] = {}

    async def start(self) -> None:
        await self._client.subscribe(f"{self._inbox}.*", cb=self._on_reply)

    async def send(
        self,
        service: str,
        workspace: str,
        command: Message,
        *,
        actor: str,
        idempotency_key: str | None = None,
        traceparent: str | None = None,
        wait_s: float = 1.0,
    ) -> Answer | Pending:
        """Durable before it returns. The owner has `wait_s` to answer; after that the command still happens.

        Raises BusAway when COMMANDS did not confirm that it has the command, and DiskFull, which means that it was not
        even tried.
        """
        self._disk.refuse_full()
        attempt_id = self._new_id()
        # Under a key, a retry is the same command: same id, so same operation, same derived ids, same answer.
        command_id = (
            attempt_id if idempotency_key is None else names.command_of(service, workspace, actor, idempotency_key)
        )
        headers = {
            command_headers.REPLY_TO: f"{self._inbox}.{attempt_id}",
            command_headers.ACTOR: actor,
            command_headers.MADE_AT: datetime.now(UTC).isoformat(),
            "Nats-Msg-Id": str(attempt_id),
        }
        if idempotency_key is not None:
            headers[command_headers.IDEMPOTENCY_KEY] = idempotency_key
        if traceparent is not None:
            headers[command_headers.TRACEPARENT] = traceparent
        subject = names.command_subject(service, workspace, type(command).__name__, command_id)
        reply = self._waiting[str(attempt_id)] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(STORED_WITHIN_S * ATTEMPTS + wait_s):
                await self._store(subject, msgspec.json.encode(command), headers)
                return await asyncio.wait_for(reply, wait_s)
        except TimeoutError:
            return Pending(command_id)
        finally:
            del self._waiting[str(attempt_id)]

    async def _store(self, subject: str, body: bytes, headers: dict[str, str]) -> None:
        """A timeout is ambiguous, so the second attempt carries the same Nats-Msg-Id."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                # `publish` writes into the headers it is given.
                await self._js.publish(
                    subject, body, timeout=STORED_WITHIN_S / ATTEMPTS, stream=names.COMMANDS, headers=dict(headers)
                )
            except (nats.errors.Error, APIError, TimeoutError, OSError) as error:
                if attempt == ATTEMPTS:
                    raise BusAway from error
            else:
                return

    async def _on_reply(self, message: Msg) -> None:
        waiting = self._waiting.get(message.subject.rpartition(".")[2])
        if waiting is None or waiting.done():
            return
        try:
            waiting.set_result(msgspec.json.decode(message.data, type=Answer))
        except msgspec.DecodeError as error:
            logger.warning("A reply can't be read", subject=message.subject, error=str(error))
