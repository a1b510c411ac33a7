"""A pull consumer that hands over messages as they arrive. (The client's own fetch of many waits until it has many.)"""

import asyncio
import contextlib
import json
import time

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

logger = structlog.get_logger(__name__)

BATCH = 256
EXPIRES_S = 20.0
GRACE_S = 2.0
PAUSE_S = 0.5
LOOK_EVERY_S = 1.0


class Pull:
    """Messages of one durable, on one connection. Asks again when half of what it asked for is here, when the server
    ends a request, and when the connection is a new one: the server forgot what was asked on the old one."""

    def __init__(self, client: Client, *, stream: str, durable: str) -> None:
        self._client = client
        self._ask = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._inbox = client.new_inbox()
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._subscription: Subscription | None = None
        self._open = 0  # messages asked for and not here yet
        self._asked_s = 0.0
        self._asked_on = -1  # which connection
        self._refused = False

    async def start(self) -> None:
        self._subscription = await self._client.subscribe(self._inbox, cb=self._on_message)

    async def stop(self) -> None:
        """What has arrived and was not taken is delivered again later, to whoever asks."""
        if self._subscription and self._client.is_connected:
            await self._subscription.unsubscribe()
        self._subscription = None

    async def take(self) -> list[Msg]:
        """At least one message, and whatever else is here already."""
        while True:
            await self._request()
            arrived: list[Msg | None] = []
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    arrived.append(await self._arrived.get())
            while not self._arrived.empty():
                arrived.append(self._arrived.get_nowait())
            if messages := [message for message in arrived if message is not None]:
                return messages

    async def _request(self) -> None:
        connection = self._client.stats["reconnects"]
        lapsed = connection != self._asked_on or time.monotonic() - self._asked_s > EXPIRES_S + GRACE_S
        if not self._client.is_connected or (self._open > BATCH // 2 and not lapsed):
            return
        if self._refused:
            self._refused = False
            await asyncio.sleep(PAUSE_S)
        wanted = BATCH if lapsed else BATCH - self._open
        body = json.dumps({"batch": wanted, "expires": int(EXPIRES_S * 1e9)}).encode()
        await self._client.publish(self._ask, body, reply=self._inbox)
        self._open, self._asked_s, self._asked_on = BATCH, time.monotonic(), connection

    async def _on_message(self, message: Msg) -> None:
        status = (message.headers or {}).get("Status")
        if status is None:
            self._open = max(0, self._open - 1)
            self._arrived.put_nowait(message)
        elif status != "100":
            self._open = 0  # 408 expired, 404; 409 and 503: the durable is gone, or the server is not ready
            if status not in ("404", "408"):
                logger.warning("Messages can't be pulled", status=status)
                self._refused = True
            self._arrived.put_nowait(None)
