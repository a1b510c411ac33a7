"""What request handlers are handed: the read side, the write side, and who asks."""

from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
from litestar import Request
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct
from nats.aio.client import Client

from linstock import names
from linstock.bus.commands import CommandSender
from services.api.freshness import Freshness

ANONYMOUS = "anonymous@loopback"


class Context(Struct, frozen=True):
    """One per process. Until there are tokens, everybody on the loopback is the same actor in the default workspace."""

    pool: asyncpg.Pool
    client: Client
    sender: CommandSender
    freshness: Freshness
    workspace: str = names.DEFAULT_WORKSPACE
    actor: str = ANONYMOUS

    def now(self) -> datetime:
        return datetime.now(UTC)


# What handlers ask for.
Asked: TypeAlias = Request[Any, Any, Any]
Shared: TypeAlias = NamedDependency[Context]
Id: TypeAlias = FromPath[UUID]
