"""Receipt: what became of a command. One per (workspace, actor, idempotency key), for ever, in the same insert as the
command's effect."""

from uuid import UUID

from msgspec import Raw

from linstock.messages.message import Message


class CommandHandled(Message, frozen=True, tag="linstock.command.handled.v1"):
    """`outcome` is done | refused. `answer` is the JSON that the caller got, or would have got. `request_hash` tells
    a retry from another request under the same key."""

    command_id: UUID
    command: str
    outcome: str
    answer: Raw
    request_hash: str


ReceiptEvent = CommandHandled
