"""The jobs that `jobs.py` has run by real workers: each writes down that it runs, and has one effect under its
idempotency key, in a database that nobody kills."""

import asyncio
import functools
import os
import sqlite3
from pathlib import Path

from linstock import JobContext, Snooze, job

EFFECTS = "FAULTS_EFFECTS"
TYPE = "effect"
BUSY_S = 30.0
LONGEST_S = 0.2

_TABLES = """
CREATE TABLE IF NOT EXISTS runs (job TEXT NOT NULL, attempt INTEGER NOT NULL, pid INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS effects (key TEXT PRIMARY KEY, number INTEGER NOT NULL, attempt INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS met_again (key TEXT NOT NULL);
"""


def opened(path: Path) -> sqlite3.Connection:
    """Every statement is a transaction. A process that is killed loses nothing that was committed."""
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.executescript(_TABLES)
    return connection


@functools.cache
def _effects() -> sqlite3.Connection:
    return opened(Path(os.environ[EFFECTS]))


@job(name=TYPE, retries=500, delays=(0.2,), timeout=120)
async def effect(number: int, context: JobContext) -> int:
    """Some are too early at first and some fail at first; half of the work comes after the effect, so that a kill can
    come between it and the report."""
    _effects().execute("INSERT INTO runs VALUES (?, ?, ?)", (str(context.job_id), context.attempt, os.getpid()))
    await asyncio.sleep(LONGEST_S * (number % 10) / 20)
    if context.attempt == 1 and number % 20 == 7:
        raise ConnectionResetError("as it happens")
    if context.attempt == 1 and number % 20 == 13:
        raise Snooze(0.2, "too early")
    row = (context.idempotency_key, number, context.attempt)
    if not _effects().execute("INSERT OR IGNORE INTO effects VALUES (?, ?, ?)", row).rowcount:
        _effects().execute("INSERT INTO met_again VALUES (?)", (context.idempotency_key,))
    await asyncio.sleep(LONGEST_S * (number % 10) / 20)
    return number
