"""`linstock token`: access tokens, straight in PostgreSQL."""

import asyncio
import os
import pwd
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import click
import msgspec

from linstock.access import store
from linstock.access.roles import ADMIN, Role
from linstock.access.store import NoSuchToken, TokenStore
from linstock.access.tokens import BadName, BadWorkspace, Token
from linstock.cli.exits import Ended, Exit
from linstock.embedded import DataDir
from linstock.migrations import NewerDatabase
from linstock.names import DEFAULT_WORKSPACE
from linstock.telemetry import masked
from services.up import database
from services.up.failures import CANNOT_START, sentence

T = TypeVar("T")

CONNECT_WITHIN_S = 10.0
OURS = "up"
OURS_LIVES = timedelta(minutes=10)

_HEADINGS = ("ID", "NAME", "ROLE", "WORKSPACE", "CREATED", "EXPIRES", "LAST USED", "REVOKED")


class Shown(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """A token as JSON says it. Times are RFC 3339 in UTC."""

    id: str
    name: str
    role: Role
    workspace: str
    actor: str
    usable: bool
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None


class Made(Shown, frozen=True, kw_only=True):
    token: str


def create(data_dir: Path, role: Role, workspace: str, name: str, lives: timedelta | None, *, as_json: bool) -> None:
    """Print the secret alone on stdout; everything else on stderr."""
    with _failures():
        made, secret = _on_database(
            DataDir(data_dir),
            lambda kept: kept.create(role=role, workspace=workspace, name=name, created_by=_person(), lives=lives),
        )
    if as_json:
        click.echo(msgspec.json.encode(Made(token=secret, **_fields(made))))
        return
    until = f" until {_minute(made.expires_at)}" if made.expires_at else ""
    click.echo(f"{role} of workspace {workspace}{until}. This is shown once:", err=True)
    click.echo(secret)
    click.echo(f"Revoke it with: linstock token revoke {made.short_id}", err=True)


def ls(data_dir: Path, *, unusable: bool, output: str) -> None:
    data = DataDir(data_dir)
    with _failures():
        found = _on_database(data, lambda kept: kept.all(unusable=unusable)) if database.exists(data) else []
    shown = [Shown(**_fields(each)) for each in found]
    match output:
        case "json":
            click.echo(msgspec.json.encode(shown))
        case "jsonl":
            click.echo(msgspec.json.Encoder().encode_lines(shown), nl=False)
        case _:
            _table(found)


def revoke(data_dir: Path, which: str) -> None:
    data = DataDir(data_dir)
    with _failures():
        if not database.exists(data):
            raise NoSuchToken(which)
        gone = _on_database(data, lambda kept: kept.revoke(which, by=_person()))
    click.echo(f"{gone.actor} is revoked; within 5 s nobody is let in with it.", err=True)


def _on_database(data: DataDir, work: Callable[[TokenStore], Awaitable[T]]) -> T:
    with database.reachable(data) as url:
        return asyncio.run(on(url, work))


async def on(url: str, work: Callable[[TokenStore], Awaitable[T]]) -> T:
    """What `work` does with the tokens of a running PostgreSQL."""
    connection = await asyncpg.connect(url, timeout=CONNECT_WITHIN_S)
    try:
        await store.prepare(connection)
        return await work(TokenStore(connection))
    finally:
        await connection.close()


@asynccontextmanager
async def passing(database_url: str, *, needed: bool) -> AsyncIterator[str | None]:
    """An admin's token for what `linstock up` itself asks of the API: revoked afterwards, and expired soon, should this
    process be killed. None when none is needed."""
    if not needed:
        yield None
        return
    made, secret = await on(
        database_url,
        lambda kept: kept.create(
            role=ADMIN, workspace=DEFAULT_WORKSPACE, name=OURS, created_by=_person(), lives=OURS_LIVES
        ),
    )
    try:
        yield secret
    finally:
        await on(database_url, lambda kept: kept.revoke(str(made.token_id), by=made.actor))


@contextmanager
def _failures() -> Iterator[None]:
    """Each as one sentence, without what a URL may hold."""
    try:
        yield
    except BadName as error:
        raise click.BadParameter(str(error), param_hint="--name") from error
    except BadWorkspace as error:
        raise click.BadParameter(str(error), param_hint="--workspace") from error
    except NoSuchToken as error:
        raise Ended(sentence(error), Exit.NOT_FOUND) from error
    except NewerDatabase as error:
        raise Ended(sentence(error)) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, ConnectionError, FileNotFoundError) as error:
        raise Ended(masked(f"PostgreSQL can't be reached: {sentence(error)}"), Exit.UNREACHABLE) from error
    except CANNOT_START as error:
        raise Ended(sentence(error)) from error


def _person() -> str:
    """Who calls, as the system knows them: nothing that an environment variable could claim."""
    try:
        return f"os:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"os:{os.getuid()}"


def _fields(token: Token) -> dict[str, Any]:
    kept = {name: getattr(token, name) for name in Shown.__struct_fields__ if name not in ("id", "token")}
    return {"id": str(token.token_id), **kept}


def _table(found: list[Token]) -> None:
    rows = [_HEADINGS, *(_row(each) for each in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(token: Token) -> tuple[str, ...]:
    return (
        token.short_id,
        token.name,
        token.role,
        token.workspace,
        _minute(token.created_at),
        _minute(token.expires_at),
        _minute(token.last_used_at),
        _minute(token.revoked_at),
    )


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%MZ}" if at else "-"
