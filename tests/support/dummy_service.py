"""A service that does nothing, to run under the supervisor: `python -m tests.support.dummy_service NAME`.

The one named "api" also answers on the API's port: to a GET with an empty list of libraries, to a POST with an id, and
it logs what was posted.
"""

import asyncio
import sys

import structlog

from linstock import crashpoints
from linstock.lifecycle import run
from linstock.probes import Vitals
from linstock.settings import Settings

EMPTY = b'{"data":[],"totalCount":0,"page":1,"pageSize":100,"totalPages":0}'


class Dummy:
    def __init__(self, settings: Settings, vitals: Vitals) -> None:
        self._settings = settings
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        crashpoints.reach("before_append")
        if self._settings.service == "api":
            self._server = await asyncio.start_server(self._answer, self._settings.host, self._settings.port)
        structlog.get_logger().info("dummy works", nats=self._settings.nats_url)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        answer = EMPTY
        if head.startswith("POST"):
            answer = b'{"id":"7"}'
            length = int(head.lower().partition("content-length: ")[2].split()[0])
            posted = (await reader.readexactly(length)).decode()
            structlog.get_logger().info("posted", to=head.split()[1], body=posted)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(answer), answer))
        await writer.drain()
        writer.close()


if __name__ == "__main__":
    run(sys.argv[1], Dummy)
