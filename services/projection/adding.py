"""Sums in Postgres: added to what stands there, and rows that come to nothing removed."""

from functools import cache

import msgspec
from msgspec import Struct

from services.projection.schema import Connection
from services.projection.store import column_type
from services.projection.sums import R, Sums


class Statements(Struct, frozen=True):
    """`add` takes one array per column, `clear` one per key column."""

    add: str
    clear: str


async def add(connection: Connection, sums: Sums[R]) -> None:
    changed = sums.changed()
    if not changed:
        return
    known = statements(sums.table, sums.row, len(sums.key_columns))
    columns = list(zip(*map(msgspec.structs.astuple, changed), strict=True))
    await connection.execute(known.add, *columns)
    await connection.execute(known.clear, *columns[: len(sums.key_columns)])


@cache
def statements(table: str, row: type[Struct], keys: int) -> Statements:
    """Names come from our own row types, never from outside."""
    fields = msgspec.structs.fields(row)
    names = [field.name for field in fields]
    key, summed = names[:keys], names[keys:]
    arrays = [f"${number}::{column_type(field.type)}[]" for number, field in enumerate(fields, 1)]
    more = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in summed)
    same = " AND ".join(f"{table}.{name} = touched.{name}" for name in key)
    nothing = " AND ".join(f"{table}.{name} = 0" for name in summed)
    return Statements(
        add=f"INSERT INTO {table} ({', '.join(names)}) SELECT * FROM unnest({', '.join(arrays)})"  # noqa: S608
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {more}",
        clear=f"DELETE FROM {table} USING unnest({', '.join(arrays[:keys])}) AS touched ({', '.join(key)})"  # noqa: S608
        f" WHERE {same} AND {nothing}",
    )
