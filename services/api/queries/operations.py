"""Receipts, and commands that wait for their owner."""

from uuid import UUID

import asyncpg
import msgspec
from nats.aio.client import Client

from linstock import names
from linstock.messages.answer import Answer
from services.api.dto.operations import OperationDto

ASK_TIMEOUT_S = 2.0


async def handled(pool: asyncpg.Pool, workspace: str, command_id: UUID) -> OperationDto | None:
    row = await pool.fetchrow(
        "SELECT log, command_id, command, outcome, answer, position, handled_at FROM operations"
        " WHERE command_id = $1 AND workspace = $2 ORDER BY handled_at, log LIMIT 1",
        command_id,
        workspace,
    )
    if row is None:
        return None
    return OperationDto(
        id=row["command_id"],
        status="done" if row["outcome"] == "done" else "refused",
        command=row["command"],
        answer=msgspec.json.decode(row["answer"], type=Answer),
        position=f"{row['log']}:{row['position']}",
        handled_at=row["handled_at"],
    )


async def waiting(client: Client, workspace: str, command_id: UUID) -> OperationDto | None:
    """Whether COMMANDS still holds it. Raises what the connection raises."""
    subject = f"cmd.*.{workspace}.*.{command_id}"
    state = (await client.jetstream(timeout=ASK_TIMEOUT_S).stream_info(names.COMMANDS, subjects_filter=subject)).state
    for found in state.subjects or {}:
        return OperationDto(id=command_id, status="pending", command=found.split(".")[3])
    return None
