"""For tests of access: an API that wants tokens, tokens of every kind, and every route there is."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast
from uuid import UUID, uuid4

import asyncpg
import httpx
from msgspec import Struct

from linstock.access import store
from linstock.access.roles import Role
from linstock.access.store import TokenStore
from linstock.access.tokens import Token
from linstock.settings import Settings
from services.api import http, policy
from services.api.app import ApiService
from services.api.callers import Callers
from services.api.context import Context
from services.api.policy import POLICY, PUBLIC, Needed

_PARAMETER = re.compile(r"\{(\w+)\}")


class Route(Struct, frozen=True):
    method: str
    path: str
    name: str
    needed: Needed

    def at(self, fill: Callable[[str], object] = lambda parameter: 1 if parameter == "number" else uuid4()) -> str:
        """The path with a value for each of its parameters."""
        return _PARAMETER.sub(lambda found: str(fill(found[1])), self.path)


def routes() -> Iterator[Route]:
    """Every route of the application, as it is made; those that Litestar adds itself too."""
    app = http.make(cast(Context, None), host="127.0.0.1", callers=cast(Callers, None))
    for path, handler in policy.handlers(app):
        for method in handler.http_methods:
            yield Route(str(method), path, handler.handler_name, POLICY.get(handler.handler_name, PUBLIC))


class Desk:
    """Hands out tokens."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.kept = TokenStore(connection)

    async def make(
        self, role: Role = "admin", *, workspace: str = "default", name: str = "test", lives: timedelta | None = None
    ) -> tuple[Token, dict[str, str]]:
        """The token, and the header that sends it."""
        token, secret = await self.kept.create(
            role=role, workspace=workspace, name=name, created_by="test", lives=lives
        )
        return token, {"Authorization": f"Bearer {secret}"}

    async def header(self, role: Role = "admin", *, workspace: str = "default") -> dict[str, str]:
        return (await self.make(role, workspace=workspace))[1]

    async def last_used(self, token_id: UUID) -> object:
        return await self.connection.fetchval("SELECT last_used_at FROM access.tokens WHERE token_id = $1", token_id)


@asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[Desk]:
    connection = await asyncpg.connect(database_url)
    try:
        await store.prepare(connection)
        yield Desk(connection)
    finally:
        await connection.close()


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    service = ApiService(settings)
    try:
        await service.start()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}", timeout=20) as client:
            yield client
    finally:
        await service.stop()
