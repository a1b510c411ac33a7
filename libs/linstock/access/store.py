"""Tokens in PostgreSQL, in a schema of their own. Every time is Postgres's."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg

from linstock.access import tokens
from linstock.access.roles import Role
from linstock.access.tokens import SHORT_ID, Token
from linstock.migrations import migrate

SCHEMA = "access"
MIGRATIONS = Path(__file__).parent / "migrations"
USE_EVERY = timedelta(minutes=1)

_USABLE = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())"
_COLUMNS = (
    "token_id, name, role, workspace, created_at, created_by, expires_at, revoked_at, revoked_by, last_used_at,"
    f" {_USABLE} AS usable"
)


class NoSuchToken(Exception):
    """There is no token {which}: `linstock token ls --all` shows all."""

    def __init__(self, which: str) -> None:
        self.which = which
        super().__init__((self.__doc__ or "").format(which=which))


async def prepare(connection: asyncpg.Connection) -> None:
    """Make the table, or bring it up to date. Safe to call from many processes at once."""
    await migrate(connection, SCHEMA, MIGRATIONS)


class TokenStore:
    """On a prepared database. Raises what asyncpg raises."""

    def __init__(self, database: "asyncpg.Pool | asyncpg.Connection") -> None:
        self._database = database

    async def create(
        self, *, role: Role, workspace: str, name: str, created_by: str, lives: timedelta | None = None
    ) -> tuple[Token, str]:
        """The token and its secret, which is nowhere else. Raises BadName, BadWorkspace."""
        tokens.check_name(name)
        tokens.check_workspace(workspace)
        secret = tokens.new_secret()
        row = await self._database.fetchrow(
            "INSERT INTO access.tokens (token_id, name, role, workspace, hash, created_by, expires_at)"  # noqa: S608
            f" VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7::interval) RETURNING {_COLUMNS}",
            uuid4(),
            name,
            role,
            workspace,
            tokens.hash_of(secret),
            created_by,
            lives,
        )
        assert row
        return _token(row), secret

    async def find(self, secret: str) -> Token | None:
        """The usable token of this secret.

        Looked up by its hash: how long a comparison takes tells at most about the hash of a guess, which nobody can
        steer towards another hash.
        """
        query = f"SELECT {_COLUMNS} FROM access.tokens WHERE hash = $1 AND {_USABLE}"  # noqa: S608
        row = await self._database.fetchrow(query, tokens.hash_of(secret))
        return _token(row) if row else None

    async def all(self, *, unusable: bool = False) -> list[Token]:
        """The oldest first; with `unusable` also what was revoked or has expired."""
        query = f"SELECT {_COLUMNS} FROM access.tokens WHERE $1 OR {_USABLE} ORDER BY created_at, token_id"  # noqa: S608
        return [_token(row) for row in await self._database.fetch(query, unusable)]

    async def any_usable(self) -> bool:
        found: bool = await self._database.fetchval(f"SELECT EXISTS (SELECT FROM access.tokens WHERE {_USABLE})")  # noqa: S608
        return found

    async def revoke(self, which: str, *, by: str) -> Token:
        """`which` is an id, or its first eight characters. The first revocation stands. Raises NoSuchToken."""
        row = await self._database.fetchrow(
            "UPDATE access.tokens SET revoked_at = coalesce(revoked_at, clock_timestamp()),"  # noqa: S608
            f" revoked_by = coalesce(revoked_by, $2) WHERE token_id::text = $1 OR left(token_id::text, {SHORT_ID}) = $1"
            f" RETURNING {_COLUMNS}",
            which.lower(),
            by,
        )
        if row is None:
            raise NoSuchToken(which)
        return _token(row)

    async def used(self, token_ids: Sequence[UUID]) -> None:
        """Note that they were used now, unless that was noted within the last minute."""
        await self._database.execute(
            "UPDATE access.tokens SET last_used_at = clock_timestamp() WHERE token_id = ANY($1::uuid[])"
            " AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - $2::interval)",
            token_ids,
            USE_EVERY,
        )


def _token(row: asyncpg.Record) -> Token:
    return Token(**row)
