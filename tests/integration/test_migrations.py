"""Migrations: forward only, once, by whoever comes first."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from linstock.migrations import BadMigrations, NewerDatabase, migrate


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "diary" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0001_notes.sql").write_text("CREATE TABLE notes (text text); INSERT INTO notes VALUES ('a');")
    return folder


async def texts(connection: asyncpg.Connection) -> list[str]:
    return [row["text"] for row in await connection.fetch('SELECT text FROM "my-schema".notes ORDER BY text')]


async def test_each_migration_runs_once(connection: asyncpg.Connection, folder: Path) -> None:
    await migrate(connection, "my-schema", folder)
    await migrate(connection, "my-schema", folder)
    assert await texts(connection) == ["a"]

    (folder / "0002_more.sql").write_text("INSERT INTO notes VALUES ('b');")
    await migrate(connection, "my-schema", folder)

    assert await texts(connection) == ["a", "b"]


async def test_many_processes_that_start_at_once_migrate_once(
    connection: asyncpg.Connection, database_url: str, folder: Path
) -> None:
    async def start() -> None:
        own = await asyncpg.connect(database_url)
        await migrate(own, "my-schema", folder)
        await own.close()

    await asyncio.gather(*(start() for _ in range(5)))

    assert await texts(connection) == ["a"]


async def test_a_failing_migration_changes_nothing_and_those_before_it_stay(
    connection: asyncpg.Connection, folder: Path
) -> None:
    (folder / "0002_bad.sql").write_text("INSERT INTO notes VALUES ('b'); SELECT nonsense;")
    with pytest.raises(asyncpg.UndefinedColumnError):
        await migrate(connection, "my-schema", folder)
    assert await texts(connection) == ["a"]

    (folder / "0002_bad.sql").write_text("INSERT INTO notes VALUES ('b');")
    await migrate(connection, "my-schema", folder)

    assert await texts(connection) == ["a", "b"]


async def test_a_database_of_a_newer_version_is_refused(connection: asyncpg.Connection, folder: Path) -> None:
    newer = folder / "0002_newer.sql"
    newer.write_text("INSERT INTO notes VALUES ('b');")
    await migrate(connection, "my-schema", folder)
    newer.unlink()

    with pytest.raises(NewerDatabase) as refusal:
        await migrate(connection, "my-schema", folder)

    assert (refusal.value.found, refusal.value.known) == (2, 1)


async def test_two_parts_share_a_schema(connection: asyncpg.Connection, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "migrations"
    other.mkdir(parents=True)
    (other / "0001_others.sql").write_text("CREATE TABLE others (id int);")
    await migrate(connection, "my-schema", folder)
    await migrate(connection, "my-schema", other)
    assert await connection.fetchval('SELECT count(*) FROM "my-schema".others') == 0


@pytest.mark.parametrize("name", ["0003_hole.sql", "1_short.sql", "0002-dash.sql"])
async def test_a_folder_with_holes_or_odd_names_is_refused(
    connection: asyncpg.Connection, folder: Path, name: str
) -> None:
    (folder / name).write_text("SELECT 1;")
    with pytest.raises(BadMigrations):
        await migrate(connection, "my-schema", folder)
    assert await connection.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname = 'my-schema'") == 0
