"""Numbered, forward-only SQL migrations of one schema. Every process runs them at start; the first one does the work.

A folder holds `0001_name.sql`, `0002_name.sql`, … without holes. Each file runs in a transaction of its own with the
schema as search path, so it names its tables unqualified. What has run is recorded in `<schema>.migrations` under the
folder's part (the name of the folder's parent: `eventlog`, `library`, …), so a log and its service share a schema.
"""

import re
from hashlib import sha256
from pathlib import Path

import asyncpg
from msgspec import Struct

_FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


class Migration(Struct, frozen=True):
    number: int
    name: str
    sql: str


class BadMigrations(Exception):
    """The folder of migrations is not numbered 0001, 0002, … without holes."""

    def __init__(self, folder: Path, detail: str) -> None:
        super().__init__(f"{self.__doc__} {folder}: {detail}")
        self.folder = folder


class NewerDatabase(Exception):
    """The database was migrated by a newer version of this program; run that version or restore an older backup."""

    def __init__(self, schema: str, part: str, *, found: int, known: int) -> None:
        super().__init__(f"{self.__doc__} Schema {schema}, {part}: found {found:04}, known {known:04}.")
        self.schema, self.part, self.found, self.known = schema, part, found, known


def advisory_key(purpose: str, name: str) -> int:
    """A key for pg_advisory_lock: the same for the same purpose and name, in every process and for ever."""
    return int.from_bytes(sha256(f"linstock\x1f{purpose}\x1f{name}".encode()).digest()[:8], "big", signed=True)


def quoted(identifier: str) -> str:
    """An SQL identifier, safe inside a statement."""
    return '"' + identifier.replace('"', '""') + '"'


def migrations_in(folder: Path) -> list[Migration]:
    """In order. Raises BadMigrations."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = _FILE.fullmatch(path.name)
        if match is None:
            raise BadMigrations(folder, path.name)
        found.append(Migration(int(match[1]), path.stem, path.read_text(encoding="utf-8")))
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise BadMigrations(folder, ", ".join(migration.name for migration in found))
    return found


async def migrate(connection: asyncpg.Connection, schema: str, folder: Path) -> None:
    """Bring `schema` up to date with `folder`, making the schema when it is not there.

    Safe to call from many processes at once: one works, the others wait for it. A failing file changes nothing and
    raises what Postgres said; those before it stay. Raises NewerDatabase and BadMigrations before changing anything.
    """
    migrations, part = migrations_in(folder), folder.parent.name
    key = advisory_key("migrations", schema)
    await connection.execute("SELECT pg_advisory_lock($1)", key)
    try:
        await connection.execute(_RECORD.format(schema=quoted(schema)))
        done = await _last(connection, schema, part)
        if done > len(migrations):
            raise NewerDatabase(schema, part, found=done, known=len(migrations))
        for migration in migrations[done:]:
            await _run(connection, schema, part, migration)
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", key)


_RECORD = """
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE IF NOT EXISTS {schema}.migrations (
    part text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    ran_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (part, number)
)"""
_LAST = "SELECT coalesce(max(number), 0) FROM {schema}.migrations WHERE part = $1"
_DONE = "INSERT INTO {schema}.migrations (part, number, name) VALUES ($1, $2, $3)"


async def _last(connection: asyncpg.Connection, schema: str, part: str) -> int:
    last: int = await connection.fetchval(_LAST.format(schema=quoted(schema)), part)
    return last


async def _run(connection: asyncpg.Connection, schema: str, part: str, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL search_path TO {quoted(schema)}")
        await connection.execute(migration.sql)
        await connection.execute(_DONE.format(schema=quoted(schema)), part, migration.number, migration.name)
