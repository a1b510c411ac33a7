"""What an outbox needs, and what it refuses to write by."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from linstock import BadParameters, job, outbox

DRIVERS = {"asyncpg", "psycopg", "sqlalchemy"}


@job(name="greet")
async def greet(name: str) -> None: ...


def test_the_sdk_loads_no_driver() -> None:
    code = "import sys, linstock; from linstock import outbox, Client, Worker; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, timeout=60
    )
    assert DRIVERS & set(loaded.stdout.split()) == set()


async def test_what_is_no_connection_is_refused() -> None:
    with pytest.raises(outbox.NoConnection, match=r"AsyncSession .* this is builtins\.object"):
        await outbox.enqueue(object(), greet, "Ann")
    with pytest.raises(outbox.NoConnection, match=r"a Session .* this is builtins\.NoneType"):
        outbox.enqueue_sync(None, greet, "Ann")
    with pytest.raises(BadParameters):
        await outbox.enqueue(object(), greet, 5)


def test_names_that_would_be_sql_are_refused() -> None:
    tries: tuple[Callable[[], object], ...] = (
        lambda: outbox.Outbox(table='x"; DROP TABLE orders; --'),
        lambda: outbox.Outbox(table="Orders"),
        lambda: outbox.Outbox(schema=""),
        lambda: outbox.Outbox(table="x" * 49),
    )
    for each in tries:
        with pytest.raises(outbox.BadName):
            each()


def test_the_tables_may_be_in_a_schema_and_called_otherwise() -> None:
    ddl = outbox.Outbox(schema="app", table="wanted").ddl
    assert 'CREATE TABLE IF NOT EXISTS "app"."wanted" (' in ddl
    assert 'CREATE TABLE IF NOT EXISTS "app"."wanted_refused" (' in ddl
    assert "linstock" not in ddl
    assert 'CREATE TABLE IF NOT EXISTS "linstock_outbox" (' in outbox.DDL
