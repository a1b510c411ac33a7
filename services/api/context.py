"""What request handlers are handed: the read side, the write side, and who asks."""

from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import asyncpg
from litestar import Request
from litestar.di import NamedDependency
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, HeaderParameter
from msgspec import Struct
from msgspec.structs import replace
from nats.aio.client import Client

from linstock.access.roles import VIEWER, Role
from linstock.bus.commands import CommandSender
from linstock.presence import Presence
from services.api import freshness
from services.api.callers import Caller
from services.api.freshness import Freshness
from services.api.heard import Heard
from services.api.problems import unavailable
from services.api.streams import Streams


class Context(Struct, frozen=True):
    """One per process, and of it one per request, which knows who asks."""

    pool: asyncpg.Pool
    client: Client
    sender: CommandSender
    freshness: Freshness
    streams: Streams
    heard: Heard
    presence: Presence
    workspace: str = ""
    """All that may be shown and changed. "" is nobody's: only a request has one."""
    actor: str = ""
    role: Role = VIEWER

    def now(self) -> datetime:
        return datetime.now(UTC)

    def asked_by(self, caller: Caller) -> "Context":
        return replace(self, workspace=caller.workspace, actor=caller.actor, role=caller.role)


# What handlers ask for.
Asked: TypeAlias = Request[Any, Any, Any]
Shared: TypeAlias = NamedDependency[Context]
Id: TypeAlias = FromPath[UUID]
Fresh: TypeAlias = NamedDependency[Context]
Position: TypeAlias = Annotated[
    str | None,
    HeaderParameter(
        name=freshness.HEADER,
        description="Wait, at most 2 s, until these positions are reflected: `library:12,scheduler:900`.",
        schema_extra={
            "one_of": None,
            "type": OpenAPIType.STRING,
            "format": "positions",
            "pattern": f"^{freshness.VECTOR}$",
        },
    ),
]


async def fresh(request: Asked, context: Shared, position: Position = None) -> Context:
    """The context, once the read models have got where the request wants them; else the answer is marked stale.

    Raises Problem 503 while PostgreSQL is known to be away.
    """
    if sentence := context.presence.problem:
        raise unavailable("database-unavailable", f"The read models can't be reached: {sentence}. Try again soon.")
    if position is not None:
        request.state.stale = not await context.freshness.reached(freshness.parse(position))
    return context
