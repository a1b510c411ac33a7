"""From a request to a command and its answer: done, refused, or "it will happen, look here"."""

import re
from typing import Any

from litestar import Request, Response
from msgspec import Struct

from linstock import tracing
from linstock.bus.commands import Pending
from linstock.messages.answer import Answer
from linstock.messages.message import Message
from services.api import freshness
from services.api.context import Context
from services.api.dto import OperationDto
from services.api.problems import Problem

KEY = "Idempotency-Key"
OWNER_HAS_S = 1.0
SHOWN_WITHIN_S = 1.0

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Done(Struct, frozen=True):
    """`headers` carry the position of the effect."""

    answer: Answer
    headers: dict[str, str]


async def send(request: Request[Any, Any, Any], context: Context, service: str, command: Message) -> Done | Pending:
    """Raises Problem when the owner refuses, or for a bad key; BusAway when the command was not stored.

    When it is done the read models reflect it, unless they lag by more than a second.
    """
    headers = {tracing.HEADER: parent} if (parent := request.headers.get(tracing.HEADER)) else None
    with tracing.span(f"{request.method} {type(command).__name__}", headers):
        outgoing: dict[str, str] = {}
        tracing.inject(outgoing)
        answer = await context.sender.send(
            service,
            context.workspace,
            command,
            actor=context.actor,
            idempotency_key=_key(request),
            traceparent=outgoing.get(tracing.HEADER),
            wait_s=OWNER_HAS_S,
        )
    if isinstance(answer, Pending):
        return answer
    position = {freshness.HEADER: answer.position} if answer.position else {}
    if answer.status >= 400:
        raise Problem(answer.status, answer.code or "refused", answer.detail, headers=position)
    if answer.position:
        await context.freshness.reached(freshness.parse(answer.position), within_s=SHOWN_WITHIN_S)
    return Done(answer, position)


def later(pending: Pending) -> Response[OperationDto]:
    """202: stored, not done yet."""
    location = f"/api/v1/operations/{pending.command_id}"
    body = OperationDto(id=pending.command_id, status="pending")
    return Response(body, status_code=202, headers={"Location": location})


def _key(request: Request[Any, Any, Any]) -> str | None:
    key = request.headers.get(KEY)
    if key is not None and not _KEY.fullmatch(key):
        raise Problem(400, "malformed-idempotency-key", f"{KEY} has 1 to 255 visible ASCII characters.")
    return key
