"""What clients are told of jobs that the read models do not show yet."""

import asyncio
from uuid import UUID, uuid4

import msgspec
import pytest

from linstock import Client, Unreachable, names
from linstock.bus.connection import close, connect
from linstock.messages.asked import JobsAsked, JobsTold
from services.api import asked as answering
from tests.integration.jobs import app

FAR_AHEAD = 1_000_000


async def asked(nats_url: str, *ids: UUID, ahead: int = 0) -> JobsTold:
    """By a caller that was told of something at that position."""
    connection = await connect(nats_url, "asks")
    try:
        question = JobsAsked(ids=ids, position=f"{names.SCHEDULER}:{ahead}" if ahead else None)
        subject = names.asked_subject(names.DEFAULT_WORKSPACE)
        answer = await connection.request(subject, msgspec.json.encode(question), timeout=10)
    finally:
        await close(connection)
    return msgspec.json.decode(answer.data, type=JobsTold)


async def test_a_job_that_may_only_not_be_shown_yet_is_not_called_unknown(linstock: str) -> None:
    assert (await asked(linstock, uuid4())) == JobsTold()
    behind = await asked(linstock, uuid4(), ahead=FAR_AHEAD)
    assert (behind.jobs, behind.problem) == ((), "the read models are behind")


async def test_what_is_shown_is_told_however_far_behind_the_rest_is(linstock: str, client: Client) -> None:
    handle = await client.enqueue(app.add, 1)
    assert (await handle.status()).status == "Pending"
    told = await asked(linstock, handle.id, ahead=FAR_AHEAD)
    assert [each.job_id for each in told.jobs] == [handle.id]
    some = await asked(linstock, handle.id, uuid4(), ahead=FAR_AHEAD)
    assert some.problem == "the read models are behind"


async def test_a_client_that_asks_too_early_is_told_so_and_not_that_there_is_no_job(client: Client) -> None:
    await client.enqueue(app.add, 1)
    client._position = FAR_AHEAD
    with pytest.raises(Unreachable, match="behind"):
        await asyncio.wait_for(client.status(uuid4()), 10)


async def test_who_asks_while_too_many_do_is_told_so(linstock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "AT_ONCE", 0)
    assert "ask again" in (await asked(linstock, uuid4())).problem
