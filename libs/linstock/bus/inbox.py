"""The owner's side of commands: plan, append effect and receipt in one insert, answer, ack. In that order.

Done at most once, for ever: the receipt is an event at uuid5(workspace, actor, idempotency key) version 1, so a
redelivery, a retry and an ambiguous commit all find it and get the first answer again.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
import structlog
from faststream.nats import NatsBroker
from faststream.nats.message import NatsMessage
from msgspec import Struct

from linstock import names
from linstock.bus import command_headers, dead_letters
from linstock.bus.broker import bound, long_poll
from linstock.crashpoints import reach
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Append, EventTooLarge, FutureInstant, Origin, Recorded, VersionConflict
from linstock.messages.answer import Answer
from linstock.messages.message import Message
from linstock.messages.receipt import CommandHandled

logger = structlog.get_logger(__name__)

C = TypeVar("C", bound=Message)

PATIENCE = timedelta(seconds=5)  # how long a command waits for what it refers to
PLANS_PER_DELIVERY = 20
WORKERS = 32


class CommandContext(Struct, frozen=True, kw_only=True):
    """Everything about a command but its content. `at` is the owner's clock."""

    command_id: UUID
    workspace: str
    actor: str
    at: datetime
    traceparent: str | None = None


class Plan(Struct, frozen=True, kw_only=True):
    """What a command does. No appends: nothing to do, which is also an answer."""

    answer: Answer
    appends: Sequence[Append] = ()
    not_before: datetime | None = None


class Refused(Exception):
    """The command can't be done; the answer says why, for ever."""

    def __init__(self, status: int, code: str, detail: str, *, field: str = "") -> None:
        super().__init__(f"{field}: {detail}" if field else detail)
        self.answer = Answer(status=status, code=code, detail=detail, field=field)


class NotYet(Exception):
    """What this refers to is not known here, but may be in a moment: it is tried again for a while."""


class Unreadable(Exception):
    """This message can't be decoded."""


class CommandInbox(Generic[C]):
    """Consumes `cmd.<service>.>` on the service's durable. `plan` loads, decides and says what to append; it is called
    again when somebody else appended to one of its aggregates first. `appended` is told what was appended, before the
    answer is sent."""

    def __init__(
        self,
        broker: NatsBroker,
        *,
        log: EventLog,
        service: str,
        commands: object,
        plan: Callable[[C, CommandContext], Awaitable[Plan]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        appended: Callable[[Sequence[Recorded]], None] = lambda _: None,
    ) -> None:
        self._broker = broker
        self._appended = appended
        self._log = log
        self._service = service
        self._decoder: msgspec.json.Decoder[C] = msgspec.json.Decoder(commands)
        self._plan = plan
        self._clock = clock
        broker.subscriber(
            names.commands_to(service),
            stream=bound(names.COMMANDS),
            durable=names.command_durable(service),
            pull_sub=long_poll(),
            max_workers=WORKERS,
            no_reply=True,  # FastStream would answer with what the handler returns: nothing
            title=f"{service} commands",
        )(self._on_message)

    async def _on_message(self, message: NatsMessage) -> None:
        headers, body = message.headers or {}, message.raw_message.data
        try:
            command, context = self._read(body, message.raw_message.subject, headers)
        except Unreadable as error:
            await dead_letters.bury(self._broker, message, consumer=f"{self._service}-commands", reason=str(error))
            await self._reply(headers, Answer(status=400, code="malformed-command", detail=str(error)))
            return
        try:
            answer = await self._answer(command, context, headers, body)
        except (NotYet, FutureInstant):  # the latter: Postgres's clock was set back, and ours does not know it yet
            await message.nack(delay=0.05)
            return
        except Exception:  # Postgres away, most likely: the command stays in COMMANDS
            logger.exception("Command failed, it will be tried again", command=type(command).__name__)
            await message.nack(delay=1)
            return
        reach("after_append_before_reply")
        await self._reply(headers, answer)
        reach("after_reply_before_ack")
        await message.ack()

    def _read(self, body: bytes, subject: str, headers: dict[str, str]) -> tuple[C, CommandContext]:
        try:
            _, _, workspace, _, command_id = subject.split(".")
            context = CommandContext(
                command_id=UUID(command_id),
                workspace=workspace,
                actor=headers[command_headers.ACTOR],
                at=self._clock(),
                traceparent=headers.get(command_headers.TRACEPARENT),
            )
            return self._decoder.decode(body), context
        except (ValueError, KeyError, msgspec.DecodeError) as error:
            raise Unreadable(f"{type(error).__name__}: {error}") from error

    async def _answer(self, command: C, context: CommandContext, headers: dict[str, str], body: bytes) -> Answer:
        key = headers.get(command_headers.IDEMPOTENCY_KEY) or str(context.command_id)
        receipt_id = names.receipt_of(context.workspace, context.actor, key)
        request_hash = hashlib.sha256(body).hexdigest()
        too_large: Plan | None = None
        for _ in range(PLANS_PER_DELIVERY):
            plan = too_large or await self._planned(command, context, headers)
            receipt = _receipt(receipt_id, command, context, plan.answer, request_hash)
            reach("before_append")
            try:
                recorded = await self._log.append(
                    [*plan.appends, receipt], _origin(context), not_before=plan.not_before
                )
            except VersionConflict:
                # This very command once before (its receipt stands), or another writer. Looking only now saves every
                # new command a read.
                if first := await self._first_answer(receipt_id, request_hash):
                    return first
                continue
            except EventTooLarge as error:
                too_large = Plan(answer=Answer(status=413, code="too-large", detail=str(error)))
                continue
            self._appended(recorded)
            return self._positioned(plan.answer, recorded[-1].position)
        raise VersionConflict([receipt_id])

    async def _first_answer(self, receipt_id: UUID, request_hash: str) -> Answer | None:
        recorded = await self._log.load(receipt_id)
        if not recorded:
            return None
        receipt = msgspec.json.decode(recorded[0].data, type=CommandHandled)
        if receipt.request_hash != request_hash:
            detail = "This idempotency key was used for another request; use a new key."
            return Answer(status=422, code="idempotency-key-reused", detail=detail)
        return self._positioned(msgspec.json.decode(receipt.answer, type=Answer), recorded[0].position)

    async def _planned(self, command: C, context: CommandContext, headers: dict[str, str]) -> Plan:
        try:
            return await self._plan(command, context)
        except Refused as refused:
            return Plan(answer=refused.answer)
        except NotYet as waiting:
            if self._clock() < _made_at(headers, context.at) + PATIENCE:
                raise
            return Plan(answer=Answer(status=404, code="not-found", detail=str(waiting)))

    def _positioned(self, answer: Answer, position: int) -> Answer:
        return msgspec.structs.replace(answer, position=f"{self._log.name}:{position}")

    async def _reply(self, headers: dict[str, str], answer: Answer) -> None:
        """Core NATS: a lost reply changes nothing, the receipt has it."""
        if reply_to := headers.get(command_headers.REPLY_TO):
            await self._broker.publish(msgspec.json.encode(answer), reply_to)


def _receipt(receipt_id: UUID, command: Message, context: CommandContext, answer: Answer, request_hash: str) -> Append:
    handled = CommandHandled(
        command_id=context.command_id,
        command=type(command).__name__,
        outcome="done" if answer.status < 400 else "refused",
        answer=msgspec.Raw(msgspec.json.encode(answer)),
        request_hash=request_hash,
    )
    return Append(aggregate="command", aggregate_id=receipt_id, expected_version=0, events=[handled])


def _origin(context: CommandContext) -> Origin:
    return Origin(
        workspace=context.workspace,
        actor=context.actor,
        at=context.at,
        correlation_id=context.command_id,
        causation_id=context.command_id,
        traceparent=context.traceparent,
    )


def _made_at(headers: dict[str, Any], default: datetime) -> datetime:
    try:
        made_at = datetime.fromisoformat(headers[command_headers.MADE_AT])
    except (KeyError, ValueError):
        return default - PATIENCE
    return made_at if made_at.tzinfo else default - PATIENCE
