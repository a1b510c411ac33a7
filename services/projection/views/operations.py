"""What became of each command. From every log: the receipts, keyed by log as well, so that logs never meet."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from linstock.messages.receipt import CommandHandled
from services.projection.fact import Fact
from services.projection.rows import Rows


class Operation(Struct, frozen=True):
    log: str
    command_id: UUID
    workspace: str
    command: str
    outcome: str
    answer: str
    actor: str
    position: int
    handled_at: datetime


def rows() -> Rows[Operation]:
    return Rows("operations", Operation, key=("log", "command_id"))


def fold(operations: Rows[Operation], fact: Fact) -> None:
    match fact.event:
        case CommandHandled() as event:
            operations.put(
                Operation(
                    log=fact.log,
                    command_id=event.command_id,
                    workspace=fact.workspace,
                    command=event.command,
                    outcome=event.outcome,
                    answer=bytes(event.answer).decode(),
                    actor=fact.actor,
                    position=fact.position,
                    handled_at=fact.time,
                )
            )
        case _:
            return
