"""Makes what workers of an application take their orders from, as soon as one says that it serves a queue.

The built-in queues stand from the start; those of applications are as many as they name.
"""

import asyncio
import re
import time

import nats.errors
import structlog
from nats.aio.client import Client
from nats.js.errors import APIError

from linstock import names
from linstock.bus.provision import Drift, provision_queue
from linstock.messages.work import SignOfLife

logger = structlog.get_logger(__name__)

QUEUE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
MOST_QUEUES = 500
"""Of all workspaces. Each costs the NATS server a consumer."""
LOOK_AGAIN_S = 30.0
"""Somebody may have deleted it."""


class Queues:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._made: dict[tuple[str, str], float] = {}
        self._making: set[asyncio.Task[None]] = set()

    def hear(self, sign: SignOfLife) -> None:
        here = time.monotonic()
        for queue in sign.queues if sign.workspace else ():
            key = sign.workspace, queue
            if self._made.get(key, -LOOK_AGAIN_S) + LOOK_AGAIN_S > here or not QUEUE_NAME.fullmatch(queue):
                continue
            if queue in names.BUILT_IN_QUEUES or (key not in self._made and len(self._made) >= MOST_QUEUES):
                continue
            self._made[key] = here
            task = asyncio.create_task(self._make(*key))
            self._making.add(task)
            task.add_done_callback(self._making.discard)

    async def stop(self) -> None:
        if self._making:
            await asyncio.wait(self._making, timeout=1)

    async def _make(self, workspace: str, queue: str) -> None:
        try:
            await provision_queue(self._client.jetstream(), workspace, queue)
        except (nats.errors.Error, APIError, TimeoutError, OSError, Drift) as error:
            self._made.pop((workspace, queue), None)  # tried again with the next sign
            logger.warning("A queue can't be made yet", workspace=workspace, queue=queue, error=repr(error))
