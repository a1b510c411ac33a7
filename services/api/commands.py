"""From a request to a command and its answer: done, refused, or "it will happen, look here"."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias
from uuid import UUID, uuid4

from litestar import Request, Response
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import HeaderParameter
from msgspec import Struct

from linstock import names, tracing
from linstock.bus.commands import Pending
from linstock.messages.answer import Answer
from linstock.messages.message import Message
from services.api import freshness
from services.api.context import Context
from services.api.dto.operations import OperationDto
from services.api.problems import DATABASE_AWAY, Problem, wrong

KEY = "Idempotency-Key"
OWNER_HAS_S = 1.0
SHOWN_WITHIN_S = 1.0

_KEY = re.compile(r"[\x21-\x7e]{1,255}")

# What a handler of a command asks for, beside the command.
Key: TypeAlias = Annotated[
    str | None,
    HeaderParameter(
        name=KEY,
        description="1 to 255 visible ASCII characters. A retry under the same key is the same command, for ever; with"
        " another body it is refused.",
        schema_extra={
            "one_of": None,
            "type": OpenAPIType.STRING,
            "format": "idempotency-key",
        },
    ),
]


class Done(Struct, frozen=True):
    """`headers` carry the position of the effect. `shown`: the read models reflect it."""

    answer: Answer
    headers: dict[str, str]
    command_id: UUID
    shown: bool


async def send(
    request: Request[Any, Any, Any], context: Context, service: str, command: Message, *, key: str | None
) -> Done | Pending:
    """Raises Problem when the owner refuses, or for a bad key; BusAway when the command was not stored.

    Waits at most a second for the read models to reflect what is done.
    """
    # Under a key the command's id can be told, whatever the answer: a command without one gets one of ours.
    key = _checked(key) or str(uuid4())
    with tracing.span(f"{request.method} {type(command).__name__}"):
        outgoing: dict[str, str] = {}
        tracing.inject(outgoing)
        answer = await context.sender.send(
            service,
            context.workspace,
            command,
            actor=context.actor,
            idempotency_key=key,
            traceparent=outgoing.get(tracing.HEADER),
            wait_s=OWNER_HAS_S,
        )
    if isinstance(answer, Pending):
        return answer
    position = {freshness.HEADER: answer.position} if answer.position else {}
    if answer.status >= 400:
        raise _refusal(answer, position)
    command_id = names.command_of(service, context.workspace, context.actor, key)
    return Done(answer, position, command_id, await _is_shown(context, answer.position))


def _refusal(answer: Answer, headers: Mapping[str, str]) -> Problem:
    errors = [wrong(*answer.field.split("/"), detail=answer.detail)] if answer.field else []
    return Problem(answer.status, answer.code or "refused", answer.detail, errors=errors, headers=headers)


async def _is_shown(context: Context, position: str | None) -> bool:
    """The command is done, whatever becomes of this look: an error here must not become the answer."""
    if position is None:
        return True
    try:
        return await context.freshness.reached(freshness.parse(position), within_s=SHOWN_WITHIN_S)
    except DATABASE_AWAY:
        return False


def later(pending: Pending) -> Response[Any]:
    """202: stored, not done yet."""
    return _look_at(OperationDto(id=pending.command_id, status="pending"))


def done_unseen(done: Done) -> Response[Any]:
    """202: done, but the read models can't show it yet, so there is nothing true to show instead."""
    operation = OperationDto(id=done.command_id, status="done", answer=done.answer, position=done.answer.position)
    return _look_at(operation, done.headers)


def _look_at(operation: OperationDto, headers: Mapping[str, str] | None = None) -> Response[Any]:
    location = {"Location": f"/api/v1/operations/{operation.id}"}
    return Response(operation, status_code=202, headers={**(headers or {}), **location})


def _checked(key: str | None) -> str | None:
    if key is not None and not _KEY.fullmatch(key):
        raise Problem(400, "malformed-idempotency-key", f"{KEY} has 1 to 255 visible ASCII characters.")
    return key
