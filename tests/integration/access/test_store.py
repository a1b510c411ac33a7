"""Tokens in a real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from linstock.access import store, tokens
from linstock.access.store import NoSuchToken, TokenStore
from linstock.access.tokens import BadName, BadWorkspace, Token


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    await store.prepare(connection)
    yield connection
    await connection.close()


@pytest.fixture
def kept(database: asyncpg.Connection) -> TokenStore:
    return TokenStore(database)


async def made(kept: TokenStore, *, name: str = "ci", lives: timedelta | None = None) -> tuple[Token, str]:
    return await kept.create(role="operator", workspace="team-a", name=name, created_by="os:ann", lives=lives)


async def test_a_token_is_found_by_its_secret_alone(kept: TokenStore) -> None:
    assert not await kept.any_usable()
    token, secret = await made(kept)
    assert (token.name, token.role, token.workspace, token.created_by) == ("ci", "operator", "team-a", "os:ann")
    assert token.actor == f"token:ci/{str(token.token_id)[:8]}"
    assert await kept.find(secret) == token
    assert await kept.find(tokens.new_secret()) is None
    assert await kept.any_usable()


async def test_the_secret_is_nowhere_in_the_database(kept: TokenStore, database: asyncpg.Connection) -> None:
    _, secret = await made(kept)
    row = await database.fetchrow("SELECT t::text AS all, hash FROM access.tokens t")
    assert row
    assert row["hash"] == tokens.hash_of(secret)
    assert secret.removeprefix("linstock_") not in row["all"]


async def test_a_revoked_token_is_found_no_more_and_the_first_revocation_stands(kept: TokenStore) -> None:
    token, secret = await made(kept)
    revoked = await kept.revoke(token.short_id, by="os:ben")
    assert (revoked.usable, revoked.revoked_by) == (False, "os:ben")
    assert await kept.revoke(str(token.token_id), by="os:cat") == revoked
    assert await kept.find(secret) is None
    assert not await kept.any_usable()
    assert await kept.all() == []
    assert await kept.all(unusable=True) == [revoked]


async def test_an_expired_token_is_found_no_more(kept: TokenStore) -> None:
    token, secret = await made(kept, lives=timedelta(hours=1))
    assert token.expires_at == pytest.approx(token.created_at + timedelta(hours=1), abs=timedelta(seconds=1))
    assert await kept.find(secret) == token
    _, expired = await made(kept, lives=timedelta(microseconds=-1))
    assert await kept.find(expired) is None


@pytest.mark.parametrize("which", ["", "x", "0", "00000000", "%", "' OR true --"])
async def test_what_is_not_there_is_not_revoked(kept: TokenStore, which: str) -> None:
    token, _ = await made(kept)
    with pytest.raises(NoSuchToken):
        await kept.revoke(which, by="os:ben")
    assert await kept.all() == [token]


async def test_use_is_noted_once_a_minute(kept: TokenStore, database: asyncpg.Connection) -> None:
    token, _ = await made(kept)
    await kept.used([token.token_id])
    (first,) = await kept.all()
    assert first.last_used_at
    await kept.used([token.token_id])
    assert await kept.all() == [first]
    await database.execute("UPDATE access.tokens SET last_used_at = last_used_at - interval '61 s'")
    await kept.used([token.token_id])
    (later,) = await kept.all()
    assert later.last_used_at
    assert later.last_used_at >= first.last_used_at


async def test_names_that_cannot_be_make_nothing(kept: TokenStore) -> None:
    with pytest.raises(BadName):
        await made(kept, name="a b")
    with pytest.raises(BadWorkspace):
        await kept.create(role="admin", workspace="a.b", name="x", created_by="os:ann")
    assert await kept.all(unusable=True) == []
