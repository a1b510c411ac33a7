"""Writes a row by a connection of the application's.

Which library a connection is of, its class says. That library is imported only when somebody comes with a connection of
it, when it is loaded already: the SDK depends on none of them.
"""

import inspect
from typing import Any

from linstock.outbox.table import Table

Texts = tuple[str, str, str]
"""A row: its id, the workspace, the wanted job as JSON."""

_MARKS = {"asyncpg": "is_in_transaction", "psycopg": "cursor", "sqlalchemy": "execute"}
"""What connections have. A pool, an engine and a cursor lack it: what these execute may be in no transaction of the
caller's."""


class NoConnection(TypeError):
    """An outbox writes by {wanted}; this is {found}."""

    def __init__(self, wanted: str, connection: object) -> None:
        found = f"{type(connection).__module__}.{type(connection).__qualname__}"
        super().__init__((self.__doc__ or "").format(wanted=wanted, found=found))


async def write(connection: Any, table: Table, row: Texts) -> None:
    """Raises NoConnection."""
    library = _library(connection)
    if library is None or not _is_async(connection, library):
        wanted = "a connection of asyncpg, an async one of psycopg or SQLAlchemy, or an AsyncSession (else: `…_sync`)"
        raise NoConnection(wanted, connection)
    if library == "asyncpg":
        await connection.execute(table.insert("$1", "$2", "$3"), *row)
    elif library == "psycopg":
        import psycopg

        # Not `connection.execute`: the application may have chosen cursors with other placeholders.
        async with psycopg.AsyncCursor(connection) as cursor:
            await cursor.execute(table.insert("%s", "%s", "%s").encode(), row)
    else:
        (await connection.execute(_clause(table), _named(row))).close()


def write_sync(connection: Any, table: Table, row: Texts) -> None:
    """Raises NoConnection."""
    library = _library(connection)
    if library is None or _is_async(connection, library):
        wanted = "a connection of psycopg or SQLAlchemy, or a Session (the async ones: without `_sync`)"
        raise NoConnection(wanted, connection)
    if library == "psycopg":
        import psycopg

        with psycopg.Cursor(connection) as cursor:
            cursor.execute(table.insert("%s", "%s", "%s").encode(), row)
    else:
        connection.execute(_clause(table), _named(row)).close()


def _library(connection: object) -> str | None:
    for kind in type(connection).__mro__:
        root = kind.__module__.partition(".")[0]
        if root in _MARKS:
            return root if hasattr(connection, _MARKS[root]) else None
    return None


def _is_async(connection: object, library: str) -> bool:
    # What asyncpg's pools lend is a proxy, whose methods do not look like coroutine functions.
    return library == "asyncpg" or inspect.iscoroutinefunction(getattr(type(connection), "execute", None))


def _clause(table: Table) -> Any:
    from sqlalchemy import text

    return text(table.insert(":id", ":workspace", ":wanted"))


def _named(row: Texts) -> dict[str, str]:
    return dict(zip(("id", "workspace", "wanted"), row, strict=True))
