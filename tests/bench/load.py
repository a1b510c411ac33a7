"""Clients in a process of their own, so that they cost the server's event loop nothing: `python -m tests.bench.load`
reads what to ask as JSON and writes what it took as JSON. HTTP/1.1 over kept connections, as a browser would.
"""

import asyncio
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator

import msgspec
import uvloop
from msgspec import Struct

CLIENTS = 50


class Asked(Struct, frozen=True, kw_only=True):
    """GET these paths in turn. `per_client_s`: how often each client asks, 0 as soon as it has its answer. `body`: POST
    it to the path instead, each time with another number where it says {n}."""

    port: int
    paths: list[str]
    seconds: float
    clients: int = CLIENTS
    per_client_s: float = 0
    body: str | None = None


class Spent(Struct, frozen=True):
    """One answer, from when it was to be asked for to its last byte."""

    path: str
    status: int
    ms: float


def run(asked: Asked) -> list[Spent]:
    """Raises CalledProcessError when a client could not get an answer at all."""
    done = subprocess.run(
        [sys.executable, "-m", __name__], input=msgspec.json.encode(asked), stdout=subprocess.PIPE, check=True
    )
    return msgspec.json.decode(done.stdout, type=list[Spent])


async def _all(asked: Asked) -> list[Spent]:
    paths, numbers = itertools.cycle(asked.paths), itertools.count(1)
    clients = (_client(asked, number, paths, numbers) for number in range(asked.clients))
    return [spent for found in await asyncio.gather(*clients) for spent in found]


async def _client(asked: Asked, number: int, paths: Iterator[str], numbers: Iterator[int]) -> list[Spent]:
    reader, writer = await asyncio.open_connection("127.0.0.1", asked.port)
    began = time.perf_counter()
    every_s = 1 / asked.per_client_s if asked.per_client_s else 0.0
    due = began + every_s * number / asked.clients  # not all at the same moment
    spent = []
    while due < began + asked.seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        path = next(paths)
        writer.write(_request(asked, path, next(numbers)))
        status = await _answer(reader)
        now = time.perf_counter()
        spent.append(Spent(path, status, (now - due) * 1000))
        due = due + every_s if every_s else now
    writer.close()
    return spent


def _request(asked: Asked, path: str, number: int) -> bytes:
    head = f"{path} HTTP/1.1\r\nHost: 127.0.0.1:{asked.port}\r\n"
    if asked.body is None:
        return f"GET {head}\r\n".encode()
    body = asked.body.replace("{n}", str(number)).encode()
    return f"POST {head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def _answer(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = head.partition("content-length:")[2].partition("\r\n")[0]
    await reader.readexactly(int(length or 0))
    return int(head.split(" ", 2)[1])


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Asked)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_all(asked))))
