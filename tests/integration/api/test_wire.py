"""What goes wrong below the application: still a problem that the client can read, on a connection that ends."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from services.api import protocol

POST = b"POST /api/v1/libraries HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


class Wire:
    """Bytes to the API and back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
        await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], dict[str, Any]]:
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)).decode()
        status, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await asyncio.wait_for(self.reader.readexactly(int(headers.get("content-length", 0))), 10)
        return int(status.split()[1]), headers, json.loads(body or b"{}")

    async def refusal(self) -> tuple[int, str]:
        """Status and code of the problem, once the server has closed."""
        status, headers, body = await self.answer()
        assert headers["content-type"] == "application/problem+json"
        assert (headers["connection"], body["status"]) == ("close", status)
        assert body["traceId"] == headers["traceparent"].split("-")[1]
        await self.closed()
        return status, body["code"]

    async def closed(self) -> None:
        assert await asyncio.wait_for(self.reader.read(), 10) == b""


@pytest.fixture
async def wire(api: httpx.AsyncClient) -> Any:
    reader, writer = await asyncio.open_connection("127.0.0.1", api.base_url.port)
    yield Wire(reader, writer)
    writer.close()


MALFORMED: list[tuple[bytes, int, str]] = [
    (b"nonsense\r\n\r\n", 400, "malformed-request"),
    (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "malformed-request"),
    (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed-request"),  # no Host
    (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, "malformed-request"),
    (b"GET / HTTP/1.1\r\nHost: x\r\nbad header: 1\r\n\r\n", 400, "malformed-request"),
    (POST + b"Content-Length: -1\r\n\r\n", 400, "malformed-request"),
    (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, "malformed-request"),
    (POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", 400, "malformed-request"),
    (b"GET /" + b"x" * 40_000, 414, "url-too-long"),
    (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 40_000, 431, "headers-too-large"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200, 400, "malformed-request"),  # TLS
]


@pytest.mark.parametrize(("sent", "status", "code"), MALFORMED)
async def test_what_is_no_request(wire: Wire, sent: bytes, status: int, code: str) -> None:
    await wire.send(sent)
    assert await wire.refusal() == (status, code)


TOO_SLOW = [
    b"GET / HT",
    POST,
    POST + b"Content-Length: 100\r\n\r\n{",
    POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
]


@pytest.mark.parametrize("begun", TOO_SLOW)
async def test_a_request_that_never_ends(monkeypatch: pytest.MonkeyPatch, api: httpx.AsyncClient, begun: bytes) -> None:
    monkeypatch.setattr(protocol, "REQUEST_WITHIN_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", api.base_url.port)
    wire = Wire(reader, writer)
    await wire.send(begun)
    assert await wire.refusal() == (408, "request-timeout")
    writer.close()


async def test_a_client_that_says_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch, api: httpx.AsyncClient) -> None:
    monkeypatch.setattr(protocol, "REQUEST_WITHIN_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", api.base_url.port)
    await Wire(reader, writer).closed()
    writer.close()


async def test_a_body_sent_in_pieces_in_time_is_taken(wire: Wire) -> None:
    await wire.send(POST + b"Content-Length: 2\r\n\r\n", b"{", b"}")
    status, _, problem = await wire.answer()
    assert (status, problem["code"]) == (422, "invalid")


LARGE = 40 * 1024 * 1024


@pytest.mark.parametrize("connection", [b"", b"Connection: close\r\n"])
@pytest.mark.parametrize("framing", [b"Content-Length: %d\r\n" % LARGE, b"Transfer-Encoding: chunked\r\n"])
async def test_who_sends_far_too_much_can_read_why(wire: Wire, connection: bytes, framing: bytes) -> None:
    await wire.send(POST + connection + framing + b"\r\n")
    piece = b"x" * 65536
    chunk = piece if framing.startswith(b"Content") else b"10000\r\n" + piece + b"\r\n"
    for _ in range(LARGE // len(piece)):
        await wire.send(chunk)
    status, headers, problem = await wire.answer()
    assert (status, problem["code"]) == (413, "body-too-large")
    assert headers["content-type"] == "application/problem+json"


async def test_who_waits_to_be_told_to_go_on_is_told_at_once_that_it_is_too_much(wire: Wire) -> None:
    await wire.send(POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % LARGE)
    status, _, problem = await wire.answer()
    assert (status, problem["code"]) == (413, "body-too-large")


async def test_one_connection_many_requests(wire: Wire) -> None:
    traces = set()
    await wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)
    for _ in range(3):
        status, headers, _ = await wire.answer()
        assert status == 200
        traces.add(headers["traceparent"])
    assert len(traces) == 3
