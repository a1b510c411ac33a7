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
from nats.aio.client import Client

from linstock import names
from linstock.bus.commands import CommandSender
from services.api import freshness
from services.api.freshness import Freshness
from services.api.streams import Streams

ANONYMOUS = "anonymous@loopback"


class Context(Struct, frozen=True):
    """One per process. Until there are tokens, everybody on the loopback is the same actor in the default workspace."""

    pool: asyncpg.Pool
    client: Client
    sender: CommandSender
    freshness: Freshness
    streams: Streams
    workspace: str = names.DEFAULT_WORKSPACE
    actor: str = ANONYMOUS

    def now(self) -> datetime:
        return datetime.now(UTC)


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
        schema_extra={"one_of": None, "type": OpenAPIType.STRING},
    ),
]


async def fresh(request: Asked, context: Shared, position: Position = None) -> Context:
    """The context, once the read models have got where the request wants them; else the answer is marked stale."""
    if position is not None:
        request.state.stale = not await context.freshness.reached(freshness.parse(position))
    return context
