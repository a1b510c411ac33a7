"""Wires the API: read models, commands, and an HTTP server."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import uvicorn
from nats.aio.client import Client

from linstock.bus.commands import CommandSender
from linstock.bus.connection import close, connect_once
from linstock.disk import Disk
from linstock.presence import Presence
from linstock.probes import Vitals
from linstock.settings import Settings
from services.api import http
from services.api.asked import Asked
from services.api.callers import Callers
from services.api.context import Context
from services.api.edge import Edge
from services.api.freshness import Freshness
from services.api.heard import Heard
from services.api.protocol import Protocol
from services.api.streams import COMMENT_EVERY_S, MOST, Streams
from services.api.watch import Watch

VIEWS = "views"
DRAIN_S = 5
COMMAND_TIMEOUT_S = 3
"""Twice that is the longest wait for a server that hangs: a cancelled query is waited for as long again."""
HEADERS_LIMIT_BYTES = 32 * 1024


class ApiService:
    """Serves HTTP from `start` to `stop`."""

    def __init__(
        self, settings: Settings, *, most_streams: int = MOST, comment_every_s: float = COMMENT_EVERY_S
    ) -> None:
        self._settings = settings
        self._most_streams = most_streams
        self._comment_every_s = comment_every_s
        self._streams: Streams | None = None
        self.disk = Disk(settings.disk)
        self.presence = Presence(settings.database_url)
        self._pool: asyncpg.Pool | None = None
        self._callers: Callers | None = None
        self._asked: Asked | None = None
        self._client: Client | None = None
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.port = settings.port

    async def start(self) -> None:
        """Raises OSError when the port is taken, and what Postgres and NATS raise when they are away."""
        await self.presence.start()
        self._pool = await _pool(self._settings.database_url)
        self._callers = await Callers.open(self._settings)
        self._client = await connect_once(self._settings.nats_url, "linstock-api")
        sender = CommandSender(self._client, disk=self.disk)
        await sender.start()
        heard = Heard()
        await heard.start(self._client)
        watch, fresh = Watch(self._pool), Freshness(self._pool)
        self._asked = Asked(self._client, self._pool, watch, fresh)
        await self._asked.start()
        self._streams = Streams(self._pool, watch, most=self._most_streams, comment_every_s=self._comment_every_s)
        context = Context(
            pool=self._pool,
            client=self._client,
            sender=sender,
            freshness=fresh,
            presence=self.presence,
            streams=self._streams,
            heard=heard,
        )
        await self._serve(context, self._callers)

    async def stop(self) -> None:
        """Answers what is being asked, for at most 5 s. Safe to call twice."""
        if self._streams:
            self._streams.stop()
        if self._server and self._serving:
            self._server.should_exit = True
            await asyncio.gather(self._serving, return_exceptions=True)
            self._server = self._serving = None
        asked, self._asked = self._asked, None
        if asked:
            await asked.stop()
        client, self._client = self._client, None
        if client:
            await close(client)
        callers, self._callers = self._callers, None
        if callers:
            await callers.close()
        pool, self._pool = self._pool, None
        if pool:
            pool.terminate()
        await self.presence.stop()

    async def bus(self) -> str | None:
        return None if self._client and self._client.is_connected else "NATS is not connected"

    async def _serve(self, context: Context, callers: Callers) -> None:
        app = http.make(context, host=self._settings.host, callers=callers)
        listening = _listen(self._settings.host, self._settings.port)
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(
            Edge(app),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            http=Protocol,
            reset_contextvars=True,  # a request on the same connection is no part of the one before
            h11_max_incomplete_event_size=HEADERS_LIMIT_BYTES,
            timeout_graceful_shutdown=DRAIN_S,
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        await self._server.accepting.wait()


class _Server(uvicorn.Server):
    """Leaves signals to the process's own lifecycle, and says when it accepts."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()


async def _pool(database_url: str) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        database_url,
        min_size=1,
        max_size=8,
        timeout=3,
        command_timeout=COMMAND_TIMEOUT_S,
        server_settings={
            "search_path": VIEWS,
            "TimeZone": "UTC",
            "application_name": "linstock-api",
            "default_transaction_read_only": "on",
            # What is read often is cached: by the default, sorting everything looks cheaper than following an index.
            "random_page_cost": "1.1",
            "max_parallel_workers_per_gather": "0",  # a worker takes longer to start than our queries run
        },
        reset=_nothing_to_reset,
    )


async def _nothing_to_reset(_connection: object) -> None:
    """No query here changes its session; asyncpg's own reset is one more round trip for each."""


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


def build(settings: Settings, vitals: Vitals) -> ApiService:
    service = ApiService(settings)
    vitals.check("database", service.presence.check)
    vitals.check("bus", service.bus)
    vitals.check("disk", service.disk.problem)
    return service
