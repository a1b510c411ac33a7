"""What people are told when a server is away."""

import asyncio

import asyncpg
import nats.errors
import pytest
from nats.js.errors import ServiceUnavailableError

from linstock.outage import plain


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "PostgreSQL does not answer"),
        (FileNotFoundError(2, "No such file or directory"), "PostgreSQL does not answer"),
        (TimeoutError(), "PostgreSQL does not answer"),
        (asyncpg.CannotConnectNowError("the database system is starting up"), "PostgreSQL does not answer"),
        (asyncpg.InternalClientError("cannot switch to state 12"), "PostgreSQL does not answer"),
        (asyncpg.DiskFullError("could not write init file"), "PostgreSQL has no room on its disk"),
        (nats.errors.TimeoutError(), "NATS does not answer"),
        (nats.errors.NoServersError(), "NATS does not answer"),
        (ServiceUnavailableError(code=503, description="no storage"), "JetStream refuses: no storage"),
        (ValueError("two\n lines"), "two lines"),
        (asyncio.InvalidStateError(), "InvalidStateError"),
    ],
)
def test_it_names_the_server_and_no_class(error: Exception, sentence: str) -> None:
    assert plain(error) == sentence
