"""`linstock events verify | republish`, as an operator runs them."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from linstock.eventlog.postgres import PostgresLog
from tests.integration.eventlog.conftest import InEvents, StartRelay
from tests.support.diary import text_of, write
from tests.support.waiting import becomes

CHANGE_A_BODY = """UPDATE library.stored_events
SET state = convert_to(replace(convert_from(state, 'UTF8'), '"b"', '"x"'), 'UTF8') WHERE notification_id = 2"""

Run = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def run(database_url: str, nats_url: str) -> Run:
    """Runs `linstock events …` in a process of its own: its exit code and what it printed."""

    async def events(*arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from linstock.cli.events import events; events()",
            *arguments,
            env={"LINSTOCK_DATABASE_URL": database_url, "LINSTOCK_NATS_URL": nats_url},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return process.returncode, output.decode()

    return events


async def texts(in_events: InEvents) -> list[str]:
    return [text_of(event.recorded) for event in await in_events()]


@pytest.fixture
async def relayed(log: PostgresLog, start_relay: StartRelay, in_events: InEvents) -> list[str]:
    await start_relay()
    await write(log, "a", "b", "c")
    return await becomes(lambda: texts(in_events), expected=["a", "b", "c"])  # type: ignore[no-any-return]


async def test_a_stream_that_is_whole_is_said_to_be(relayed: list[str], run: Run) -> None:
    assert await run("verify") == (0, f"library: {len(relayed)} events compared\n")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM library.stored_events WHERE notification_id = 2", "library:2: event"),
        (CHANGE_A_BODY, "library:2: event"),
        ("UPDATE library.epoch SET epoch = gen_random_uuid()", "library:1: epoch"),
    ],
    ids=["lost row", "changed row", "another epoch"],
)
async def test_the_first_break_is_named_and_the_exit_code_tells(
    relayed: list[str], run: Run, connection: asyncpg.Connection, damage: str, said: str
) -> None:
    await connection.execute(damage)

    code, output = await run("verify")

    assert code == 1
    assert f"first break: {said}" in output


async def test_republishing_needs_a_yes(relayed: list[str], run: Run, log: PostgresLog, in_events: InEvents) -> None:
    before, epoch = await in_events(), await log.epoch()

    code, output = await run("republish")

    assert code == 1
    assert "--yes" in output
    assert (await in_events(), await log.epoch()) == (before, epoch)


async def test_a_log_that_went_back_in_time_is_republished_under_a_new_epoch(
    relayed: list[str], run: Run, connection: asyncpg.Connection, log: PostgresLog, in_events: InEvents
) -> None:
    before = await log.epoch()
    await connection.execute("DELETE FROM library.stored_events WHERE notification_id = 3")

    code, output = await run("republish", "--yes")

    assert (code, output.splitlines()[-1]) == (0, "library: 2 events published")
    assert await texts(in_events) == ["a", "b"]
    assert {event.epoch for event in await in_events()} == {await log.epoch()}
    assert await log.epoch() != before
    assert (await run("verify"))[0] == 0


async def test_an_unknown_log_is_refused(relayed: list[str], run: Run) -> None:
    code, output = await run("republish", "--yes", "nobody")
    assert code == 2
    assert "no such log: nobody" in output
