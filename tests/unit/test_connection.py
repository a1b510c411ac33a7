"""Our own reading of NATS headers is nothing but faster than the library's; a first connection fails at once."""

import asyncio

import nats.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from linstock.bus.connection import _Client, connect_once

PIECES = st.sampled_from(
    [b"ce-id", b"Nats-Sequence", b":", b" ", b"\t", b"\r\n", b"\n", b"\xc3\xa9", b"\xff", b"x y", b""]
)
LINES = st.lists(PIECES | st.binary(max_size=5), max_size=40).map(b"".join)


@given(LINES)
def test_headers_are_read_as_the_library_reads_them(raw: bytes) -> None:
    assert _Client._parse_header_lines(raw) == Client._parse_header_lines(raw)


def test_the_library_still_asks_there() -> None:
    """Else a newer one would quietly read them slowly again."""
    assert "_parse_header_lines" in Client._process_headers.__code__.co_names


@pytest.mark.parametrize("urls", ["nats://127.0.0.1:1", "nats://127.0.0.1:1,nats://127.0.0.1:2"])
async def test_a_server_that_is_away_now_is_an_error(urls: str) -> None:
    async with asyncio.timeout(5):
        with pytest.raises(nats.errors.NoServersError):
            await connect_once(urls, "test")
