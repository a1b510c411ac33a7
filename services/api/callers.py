"""Who asks: a token's owner, or (on loopback) anybody on this machine."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias, cast
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct

from linstock import names
from linstock.access import store, tokens
from linstock.access.hosts import is_loopback
from linstock.access.roles import ADMIN, Role
from linstock.access.store import TokenStore
from linstock.access.tokens import Token
from linstock.settings import Settings
from services.api.problems import DATABASE_AWAY, Problem

REMEMBERED_S = 4.0
"""So a revocation counts within 5 s, whatever else is going on."""
HEADER_LIMIT = 256  # characters; a token and its scheme have 59
CONNECTIONS = 2

_CHALLENGE = 'Bearer realm="linstock"'

logger = structlog.get_logger(__name__)

Clock: TypeAlias = Callable[[], float]


class Caller(Struct, frozen=True, kw_only=True):
    """`actor` is on every command and event of theirs; `workspace` is all they see."""

    actor: str
    role: Role
    workspace: str


ANONYMOUS = Caller(actor="anonymous@loopback", role=ADMIN, workspace=names.DEFAULT_WORKSPACE)


def unauthorized(detail: str, *, refused: bool = False) -> Problem:
    challenge = f'{_CHALLENGE}, error="invalid_token"' if refused else _CHALLENGE
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": challenge})


class Callers:
    """Knows callers by their tokens. A token it has found is remembered for 4 s; a bad one never is.

    `trusted`: without a token everybody is `ANONYMOUS`.
    """

    def __init__(self, pool: "asyncpg.Pool", *, trusted: bool, monotonic: Clock = time.monotonic) -> None:
        self._pool = pool
        self._store = TokenStore(pool)
        self._trusted = trusted
        self._monotonic = monotonic
        self._known: dict[bytes, tuple[Token, float]] = {}
        self._looks: dict[bytes, asyncio.Task[Token | None]] = {}
        self._noted: dict[UUID, float] = {}
        self._notes: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, settings: Settings) -> "Callers":
        """Raises what Postgres raises when it is away."""
        pool = await asyncpg.create_pool(
            settings.database_url,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=3,
            command_timeout=5,
            server_settings={"TimeZone": "UTC", "application_name": "linstock-api-access"},
        )
        try:
            async with pool.acquire() as connection:
                await store.prepare(cast(asyncpg.Connection, connection))  # a proxy of one
        except BaseException:
            pool.terminate()
            raise
        return cls(pool, trusted=is_loopback(settings.host) and not settings.require_token)

    async def close(self) -> None:
        """What is not noted yet is left: it says when a token was used last, to the minute."""
        for task in (*self._notes, *self._looks.values()):
            task.cancel()
        self._pool.terminate()

    async def of(self, authorization: Sequence[str]) -> Caller | None:
        """Whoever sent these Authorization headers; None for nobody who is known. A header that is sent is always
        honoured: raises Problem 401 when it is a bad one, and what asyncpg raises when Postgres is away."""
        if not authorization:
            return ANONYMOUS if self._trusted else None
        token = await self._token(_secret_of(authorization))
        if token is None:
            raise unauthorized("This token is not known here: it is wrong, revoked or expired.", refused=True)
        self._note(token.token_id)
        return Caller(actor=token.actor, role=token.role, workspace=token.workspace)

    async def still(self, caller: Caller, authorization: Sequence[str]) -> bool:
        """Whether these headers still are that caller's. True as well while nobody can tell."""
        try:
            return await self.of(authorization) == caller
        except Problem:
            return False
        except DATABASE_AWAY:
            return True

    async def _token(self, secret: str) -> Token | None:
        key = tokens.hash_of(secret)
        found, until = self._known.get(key, (None, 0.0))
        if self._monotonic() < until:
            return found
        look = self._looks.get(key)
        if look is None:  # one look, however many ask at once
            look = self._looks[key] = asyncio.create_task(self._look(key, secret))
            look.add_done_callback(lambda _: self._looks.pop(key, None))
        return await asyncio.shield(look)

    async def _look(self, key: bytes, secret: str) -> Token | None:
        until = self._monotonic() + REMEMBERED_S  # from before the look: it may see what is revoked during it
        self._known.pop(key, None)
        token = await self._store.find(secret)
        if token is not None:
            self._known[key] = (token, until)
        return token

    def _note(self, token_id: UUID) -> None:
        """That it was used, at most once a minute, after the answer."""
        now = self._monotonic()
        if now - self._noted.get(token_id, float("-inf")) < store.USE_EVERY.total_seconds():
            return
        self._noted[token_id] = now
        note = asyncio.create_task(self._write(token_id))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    async def _write(self, token_id: UUID) -> None:
        try:
            await self._store.used([token_id])
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            logger.warning("Use of a token not noted", token_id=str(token_id), error=type(error).__name__)


def _secret_of(authorization: Sequence[str]) -> str:
    """Raises Problem 401."""
    header = authorization[0]
    scheme, _, secret = header.partition(" ")
    malformed = len(authorization) > 1 or len(header) > HEADER_LIMIT or scheme.lower() != "bearer"
    if malformed or not tokens.is_secret(secret):
        detail = "The Authorization header must be one `Bearer linstock_…`, as `linstock token create` printed it."
        raise unauthorized(detail, refused=True)
    return secret
