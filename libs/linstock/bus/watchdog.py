"""A durable that is deleted at run time leaves its subscriber waiting for ever, without an error. This notices."""

import asyncio

import nats.errors
import structlog
from nats.aio.client import Client
from nats.js.errors import APIError, NotFoundError

from linstock import names
from linstock.bus.provision import Drift, provision_on
from linstock.cancellation import cancel
from linstock.outage import plain

logger = structlog.get_logger(__name__)


class DurableWatchdog:
    """Looks every `every_s` whether the service's durables stand, and makes lost ones again. `problem` is a sentence
    while something is wrong, for readiness."""

    def __init__(self, client: Client, service: str, *, every_s: float = 3.0) -> None:
        self._client = client
        self._durables = names.durables_of(service)
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None
        self.problem: str | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        if self._task:
            await cancel(self._task)
            self._task = None

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.look()
            except (nats.errors.Error, APIError, TimeoutError, OSError, Drift) as error:
                self.problem = str(error) if isinstance(error, Drift) else plain(error)

    async def look(self) -> None:
        """One look; raises what the connection raises."""
        js = self._client.jetstream()
        for stream, durable in self._durables:
            try:
                await js.consumer_info(stream, durable)
            except NotFoundError:
                logger.warning("A durable is gone, it is made again", stream=stream, durable=durable)
                await provision_on(self._client)
        for stream in (names.DLQ, names.THUMBS_STREAM):  # nobody consumes them, so no durable tells that they are gone
            try:
                await js.stream_info(stream)
            except NotFoundError:
                logger.warning("A stream is gone, it is made again", stream=stream)
                await provision_on(self._client)
        self.problem = None
