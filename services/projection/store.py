"""Rows and positions in Postgres: bulk reads, bulk upserts. Statements are made from the row types, once."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args
from uuid import UUID

import msgspec
from msgspec import Struct

from services.projection.chain import Position
from services.projection.rows import Added, Rows
from services.projection.schema import Connection

R = TypeVar("R", bound=Struct)

ROWS_PER_STATEMENT = 5_000
COPIED_FROM = 200
"""COPY is the fastest for many rows, but it asks for the columns' types each time: a few are inserted (1 ms less)."""
_INT64 = 2**63

_SQL_TYPES = {
    UUID: "uuid",
    str: "text",
    int: "bigint",
    bool: "boolean",
    datetime: "timestamptz",
    bytes: "bytea",
    date: "date",
}


class Statements(Struct, frozen=True):
    """`select` takes an array of keys, of their first column alone; `exactly` an array of each of their columns.
    `upsert` takes one array per column, each made storable by its `clean`."""

    select: str
    exactly: str
    upsert: str
    cleans: tuple[Callable[[Any], Any] | None, ...]
    columns: tuple[str, ...]


async def positions(connection: Connection, *, lock: bool) -> dict[str, Position]:
    """Where each log stands. With `lock` nobody else moves on until this transaction ends."""
    query = "SELECT log, epoch, position FROM positions"
    if lock:
        query += " FOR UPDATE"
    return {log: Position(epoch, position) for log, epoch, position in await connection.fetch(query)}


async def move(connection: Connection, reached: dict[str, Position]) -> None:
    await connection.execute(
        "INSERT INTO positions (log, epoch, position) SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[])"
        " ON CONFLICT (log) DO UPDATE SET epoch = excluded.epoch, position = excluded.position",
        list(reached),
        [position.epoch for position in reached.values()],
        [position.position for position in reached.values()],
    )


async def load(connection: Connection, rows: Rows[R], keys: Iterable[object]) -> None:
    """`keys` are whole ones, as tuples, or all that have the same first column."""
    wanted = list(keys)
    if not wanted:
        return
    known = statements(rows.table, rows.row, rows.key_columns)
    if isinstance(wanted[0], tuple):
        columns = zip(*wanted, strict=True)  # then all of them are
        records = await connection.fetch(known.exactly, *map(list, columns))
    else:
        records = await connection.fetch(known.select, wanted)
    rows.loaded([rows.row(*record) for record in records])


async def write(connection: Connection, rows: Rows[R]) -> None:
    changed = rows.changed()
    known = statements(rows.table, rows.row, rows.key_columns)
    if isinstance(rows, Added) and len(changed) >= COPIED_FROM:
        columns = _columns(changed, known)
        await connection.copy_records_to_table(rows.table, columns=known.columns, records=zip(*columns, strict=True))
        return
    for start in range(0, len(changed), ROWS_PER_STATEMENT):
        await connection.execute(known.upsert, *_columns(changed[start : start + ROWS_PER_STATEMENT], known))


@cache
def statements(table: str, row: type[Struct], key: tuple[str, ...]) -> Statements:
    """Names come from our own row types, never from outside."""
    fields = msgspec.structs.fields(row)
    types = [_plain(field.type) for field in fields]
    columns = ", ".join(field.name for field in fields)
    arrays = ", ".join(f"${number}::{_SQL_TYPES[kind]}[]" for number, kind in enumerate(types, 1))
    changes = ", ".join(f"{field.name} = excluded.{field.name}" for field in fields if field.name not in key)
    key_types = [
        _SQL_TYPES[kind] for name in key for kind, field in zip(types, fields, strict=True) if field.name == name
    ]
    keys = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(key_types, 1))
    return Statements(
        select=f"SELECT {columns} FROM {table} WHERE {key[0]} = ANY($1::{key_types[0]}[])",  # noqa: S608
        exactly=f"SELECT {columns} FROM {table} WHERE ({', '.join(key)}) IN (SELECT * FROM unnest({keys}))",  # noqa: S608
        upsert=f"INSERT INTO {table} ({columns}) SELECT * FROM unnest({arrays})"  # noqa: S608
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}",
        cleans=tuple(_CLEANS.get(kind) for kind in types),
        columns=tuple(field.name for field in fields),
    )


def _columns(rows: Sequence[Struct], known: Statements) -> list[Any]:
    columns = zip(*map(msgspec.structs.astuple, rows), strict=True)
    return [
        column if clean is None else [clean(value) for value in column]
        for column, clean in zip(columns, known.cleans, strict=True)
    ]


def column_type(kind: Any) -> str:
    return _SQL_TYPES[_plain(kind)]


def _plain(kind: Any) -> type:
    """`X` of `X | None`."""
    if isinstance(kind, UnionType) or get_args(kind):
        kind = next(choice for choice in get_args(kind) if choice is not type(None))
    return kind  # type: ignore[no-any-return]


def _text(value: str | None) -> str | None:
    # Postgres can't hold U+0000, and somebody's error message may.
    return value.replace("\0", "\ufffd") if value and "\0" in value else value


def _bigint(value: int | None) -> int | None:
    # A file system may report times after the year 2262.
    return value if value is None or -_INT64 <= value < _INT64 else (_INT64 - 1 if value > 0 else -_INT64)


_CLEANS: dict[type, Callable[[Any], Any]] = {str: _text, int: _bigint}
