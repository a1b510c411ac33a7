"""A relay through outages, and as a command."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from linstock import Client, outbox
from linstock.bus.provision import provision
from linstock.embedded import EmbeddedNats, EmbeddedPostgres
from linstock.outbox.relay import Relay, Stuck
from linstock.outbox.rows import Row, Rows
from linstock.outbox.table import Table
from tests.integration.jobs import app
from tests.integration.jobs.relays import Database, rows_left, runs
from tests.support.waiting import becomes


async def test_without_an_answer_a_row_stays_and_does_not_block_the_others(
    nats_url: str, app_url: str, database: Database
) -> None:
    await provision(nats_url)  # and nobody takes commands
    await outbox.enqueue(database, app.add, 1)
    with pytest.raises(Stuck, match="the scheduler does not answer"):
        await Relay(app_url, nats_url, answered_within_s=0.05).drain()
    await outbox.enqueue(database, app.add, 2)
    rows = Rows(database, Table())

    async def due() -> list[Row]:
        async with rows.transaction():
            return await rows.take(10, asked_before=timedelta(seconds=30))

    assert [json.loads(row.wanted)["payload"] for row in await due()] == [{"a": 2, "b": 1}]
    await database.execute("UPDATE linstock_outbox SET asked_at = now() - interval '31 s' WHERE asked_at IS NOT NULL")
    assert len(await due()) == 2


async def test_nats_may_go_away_and_come_back(
    client: Client, nats_server: EmbeddedNats, app_url: str, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    relay = Relay(app_url, nats_server.url)
    async with AsyncExitStack() as stack:
        with dead(nats_server):
            await stack.enter_async_context(runs(relay))
            await outbox.enqueue(database, app.add, 1)
            await becomes(lambda: "Nothing is handed over: NATS does not answer" in caplog.text, True)
        await becomes(lambda: relay.done, 1, timeout_s=30)
        with dead(nats_server):
            await outbox.enqueue(database, app.add, 2)
            await becomes(lambda: caplog.text.count("Nothing is handed over"), 2)
        await becomes(lambda: relay.done, 2, timeout_s=30)
        await becomes(lambda: caplog.text.count("Rows are handed over again"), 2)
    assert caplog.text.count("Nothing is handed over") == 2


@contextmanager
def dead(server: EmbeddedNats | EmbeddedPostgres) -> Iterator[None]:
    server.kill()
    try:
        yield
    finally:
        server.start()


async def test_the_database_may_go_away_and_come_back(
    linstock: str, own_postgres: EmbeddedPostgres, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    relay = Relay(own_postgres.url, linstock)
    async with runs(relay):
        await becomes(lambda: "create the tables (`linstock outbox ddl`)" in caplog.text, True)
        write(own_postgres.url, outbox.DDL)
        write(own_postgres.url)
        await becomes(lambda: relay.done, 1)
        with dead(own_postgres):
            await becomes(lambda: "Nothing is handed over: PostgreSQL does not answer" in caplog.text, True)
        write(own_postgres.url)
        await becomes(lambda: relay.done, 2, timeout_s=30)
    assert caplog.text.count("Nothing is handed over") == 2


def write(url: str, ddl: str = "") -> None:
    with psycopg.connect(url) as connection:
        if ddl:
            connection.execute(ddl.encode())
        else:
            outbox.enqueue_sync(connection, app.add, 1)


def command(app_url: str, nats_url: str, *words: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "linstock",
        "outbox",
        "relay",
        *words,
        "--database-url",
        app_url,
        "--nats-url",
        nats_url,
    ]


async def test_the_command_drains_once_and_says_by_its_code_how_that_went(
    linstock: str, app_url: str, database: Database, tmp_path: Path
) -> None:
    async def once(nats_url: str = linstock) -> tuple[int, str]:
        with (tmp_path / "said").open("w+") as said:
            ended = await asyncio.create_subprocess_exec(
                *command(app_url, nats_url, "--once"), stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
            code = await asyncio.wait_for(ended.wait(), 30)
        return code, (tmp_path / "said").read_text()

    await outbox.enqueue(database, app.add, 1)
    assert await once("nats://127.0.0.1:1") == (3, "Error: Not all is handed over: NATS does not answer.\n")
    assert await once() == (0, "")
    assert await rows_left(database)() == 0
    await outbox.enqueue(database, app.add.using(queue="No Such"), 1)
    code, said = await once()
    assert (code, "it is set aside: invalid: jobs/0/queue" in said) == (1, True)


async def test_the_command_ends_when_it_is_told_to(
    linstock: str, app_url: str, database: Database, tmp_path: Path
) -> None:
    await outbox.enqueue(database, app.add, 1)
    with (tmp_path / "said").open("w") as said:
        running = await asyncio.create_subprocess_exec(
            *command(app_url, linstock), stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
    await becomes(rows_left(database), 0)
    os.kill(running.pid, signal.SIGTERM)
    assert await asyncio.wait_for(running.wait(), 10) == 0
