"""Jobs that exist exactly if the application's transaction commits."""

import asyncio
import json
import re
from collections import Counter
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import psycopg
import pytest
from sqlalchemy import create_engine

from linstock import Client, UnknownJob, job, outbox
from linstock.outbox import relay as relaying
from linstock.outbox.relay import Relay, Stuck
from linstock.outbox.rows import Rows
from tests.integration.jobs import app, connections
from tests.integration.jobs.conftest import StartWorker
from tests.integration.jobs.relays import Database, rows_left, runs
from tests.support.waiting import becomes

PAGE = Path(__file__).parents[3] / "docs/outbox.md"


class Undone(Exception):
    """The application thinks better of it."""


@pytest.mark.parametrize("kind", connections.EVERY)
async def test_a_row_is_written_in_the_transaction_of_whatever_connection_it_is(
    kind: str, app_url: str, database: Database
) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    await database.add_listener("linstock_outbox", lambda *told: heard.put_nowait(str(told[2])))
    transaction = connections.EVERY[kind]
    with suppress(Undone):
        async with transaction(app_url) as enqueue:
            await enqueue(app.add, 1)
            raise Undone
    assert await rows_left(database)() == 0
    async with transaction(app_url) as enqueue:
        job_id = await enqueue(app.shout, "50 % :id $1 \0 ÄÖ")
    row = await database.fetchrow("SELECT * FROM linstock_outbox")
    assert row is not None
    assert outbox.outbox.job_of(row["workspace"], row["id"]) == job_id
    wanted = json.loads(row["wanted"])
    assert (wanted["jobType"], wanted["payload"]) == (app.shout.job_type, {"text": "50 % :id $1 \0 ÄÖ"})
    assert await asyncio.wait_for(heard.get(), 5) == "linstock_outbox"


async def test_what_could_be_another_transaction_is_refused(app_url: str, database: Database) -> None:
    async with asyncpg.create_pool(app_url, min_size=0) as pool:
        with pytest.raises(outbox.NoConnection, match=r"asyncpg\.pool\.Pool"):
            await outbox.enqueue(pool, app.add, 1)
    with psycopg.connect(app_url) as connection:
        with pytest.raises(outbox.NoConnection, match=r"psycopg\.Connection"):
            await outbox.enqueue(connection, app.add, 1)
        with pytest.raises(outbox.NoConnection, match=r"psycopg\.Cursor"):
            outbox.enqueue_sync(connection.cursor(), app.add, 1)
    with pytest.raises(outbox.NoConnection, match=r"Engine"):
        outbox.enqueue_sync(create_engine("postgresql+psycopg://"), app.add, 1)
    with pytest.raises(outbox.NoConnection, match=r"asyncpg\.connection\.Connection"):
        outbox.enqueue_sync(database, app.add, 1)


async def test_a_committed_job_runs_and_one_that_was_rolled_back_never_existed(
    client: Client, start_worker: StartWorker, app_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "POLL_S", 3600.0)  # so that only the notification can wake it
    await start_worker(app.add)
    async with runs(Relay(app_url, client._nats_url or "")):
        async with database.transaction():
            first = await outbox.enqueue(database, app.add, 1)
        assert await client_result(client, database, first) == 2
        with suppress(Undone):
            async with database.transaction():
                never = await outbox.enqueue(database, app.add, 2)
                raise Undone
        async with database.transaction():
            second = await outbox.enqueue(database, app.add, 3)
        assert await client_result(client, database, second) == 4
        with pytest.raises(UnknownJob):
            await client.status(never)


async def client_result(client: Client, database: Database, job_id: UUID) -> Any:
    """A client knows of a job once its row is handed over."""
    await becomes(rows_left(database), 0)

    async def known() -> bool:
        try:
            return bool(await client.status(job_id))
        except UnknownJob:
            return False

    await becomes(known, True)
    return await client.result(job_id, timeout=10)


async def test_options_delays_and_instants_come_along(client: Client, app_url: str, database: Database) -> None:
    in_a_year = datetime.now(UTC) + timedelta(days=365)
    job_ids = (
        await outbox.enqueue(database, app.add.using(queue="low", title="One"), 1),
        await outbox.delay(database, timedelta(hours=1), app.add, 2),
        await outbox.at(database, in_a_year, app.add, 3),
    )
    with pytest.raises(ValueError, match="time zone"):
        await outbox.at(database, in_a_year.replace(tzinfo=None), app.add, 3)
    with psycopg.connect(app_url) as connection:
        late = outbox.delay_sync(connection, 3600, app.add, 4)
        later = outbox.at_sync(connection, in_a_year, app.add, 5)
    assert await Relay(app_url, client._nats_url or "").drain() == 0

    async def statuses() -> list[str]:
        try:
            return [(await client.status(each)).status for each in (*job_ids, late, later)]
        except UnknownJob:
            return []

    await becomes(statuses, ["Pending", "Scheduled", "Scheduled", "Scheduled", "Scheduled"])


async def test_a_relay_that_dies_before_it_deletes_makes_no_second_job(
    client: Client, start_worker: StartWorker, app_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    @job(name="note")
    async def note(number: int) -> None:
        seen.append(number)

    await start_worker(note)
    job_ids = [await outbox.enqueue(database, note, number) for number in range(20)]

    async def dies(*_: object) -> None:
        raise ConnectionResetError

    relay = Relay(app_url, client._nats_url or "")
    with monkeypatch.context() as patched:
        patched.setattr(Rows, "remove", dies)
        with pytest.raises(Stuck):
            await relay.drain()
    assert await rows_left(database)() == 20
    assert await relay.drain() == 0
    assert await rows_left(database)() == 0
    for job_id in job_ids:
        await client_result(client, database, job_id)
    assert sorted(seen) == list(range(20))


async def test_relays_beside_each_other_lose_nothing_and_double_nothing(
    client: Client, start_worker: StartWorker, app_url: str, database: Database
) -> None:
    seen: Counter[int] = Counter()

    @job(name="count")
    async def count(number: int) -> None:
        seen[number] += 1

    await start_worker(count, concurrency=50)
    relays = [Relay(app_url, client._nats_url or "", batch=20) for _ in range(2)]
    async with AsyncExitStack() as stack:
        for relay in relays:
            await stack.enter_async_context(runs(relay))
        for begin in range(0, 400, 40):
            async with database.transaction():
                for number in range(begin, begin + 40):
                    await outbox.enqueue(database, count, number)
        await becomes(rows_left(database), 0)
        await becomes(lambda: len(seen), 400, timeout_s=30)
    assert set(seen.values()) == {1}
    assert sum(relay.done for relay in relays) == 400


async def test_a_refused_row_goes_aside_with_its_reason_and_the_others_pass(
    client: Client, app_url: str, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    first = await outbox.enqueue(database, app.add, 1)
    await outbox.enqueue(database, app.add.using(queue="No Such"), 2)
    await outbox.Outbox(workspace="no.such.*").enqueue(database, app.add, 3)
    for wanted in ('{"jobType": 5}', json.dumps({"jobType": "large", "payload": "x" * 800_000})):
        await database.execute(
            "INSERT INTO linstock_outbox (id, workspace, wanted) VALUES ($1, 'default', $2)", uuid4(), wanted
        )
    last = await outbox.enqueue(database, app.add, 4)
    assert await Relay(app_url, client._nats_url or "").drain() == 4
    assert await rows_left(database)() == 0
    refused = await database.fetch("SELECT code, reason FROM linstock_outbox_refused ORDER BY created_at")
    assert [row["code"] for row in refused] == ["invalid", "invalid", "malformed-command", "too-large"]
    assert refused[0]["reason"].startswith("jobs/0/queue: it is lower-case letters")
    assert caplog.text.count("it is set aside") == 4
    [again] = re.findall(r"^ +(WITH again .*?;)$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    await database.execute(again)
    assert await rows_left(database)() == 4
    handed = {(await client_status(client, each)) for each in (first, last)}
    assert handed == {"Pending"}


async def client_status(client: Client, job_id: UUID) -> str:
    async def known() -> str:
        try:
            return (await client.status(job_id)).status
        except UnknownJob:
            return ""

    return str(await becomes(known, "Pending"))
