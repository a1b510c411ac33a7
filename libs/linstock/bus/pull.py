"""Messages of one JetStream consumer as they come, over one long pull request: no polling, and silence is noticed.

FastStream's per-message handler costs 2.5–3 times this, and `fetch` of nats-py takes the deletion of its consumer for
an ordinary time-out.
"""

import asyncio
import contextlib
from collections import deque

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

EXPIRES_S = 30.0
HEARTBEAT_S = 1.0
SILENCE_S = 3.0  # three heartbeats missed
REQUEST_BYTES = 16 * 1024 * 1024

_HEARTBEAT, _NO_RESPONDERS = "100", "503"
_ENDS_REQUEST = ("408", "409")
_STILL_THERE = ("Batch Completed", "Request Timeout", "Exceeded MaxBytes", "Message Size Exceeds MaxBytes")


class Silent(Exception):
    """The consumer does not answer: it, its stream or the server is gone."""

    def __init__(self, consumer: str, reason: str) -> None:
        super().__init__(f"{self.__doc__} {consumer}: {reason}")
        self.consumer, self.reason = consumer, reason


class Pull:
    """Keeps up to `ahead` messages (and 16 MiB) on their way. One reader; open it again after Silent.

    Without `refills`, what was taken is not asked for anew until `want` says so: for a reader that has room for only so
    many, and leaves the others to other readers of the consumer.
    """

    def __init__(self, client: Client, *, stream: str, consumer: str, ahead: int, refills: bool = True) -> None:
        self._client = client
        self._consumer = consumer
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._ahead = ahead
        self._refills = refills
        self._waiting: deque[Msg] = deque()
        self._wake = asyncio.Event()
        self._gone: str | None = None
        self._expected = 0
        self._subscription: Subscription | None = None

    async def open(self) -> None:
        self._subscription = await self._client.subscribe(
            self._client.new_inbox(), cb=self._on_message, pending_msgs_limit=0, pending_bytes_limit=0
        )
        await self._request()

    async def close(self) -> None:
        """Messages not taken yet are dropped (JetStream has them). Safe to call twice."""
        subscription, self._subscription = self._subscription, None
        self._waiting.clear()
        if subscription is not None:
            with contextlib.suppress(nats.errors.Error, OSError):
                await subscription.unsubscribe()

    async def take(self, limit: int) -> list[Msg]:
        """At least one message, in the order of the stream; waits for it as long as the consumer lives.

        Raises Silent when there was neither a message nor a heartbeat for 3 s.
        """
        while True:
            self._wake.clear()  # first: what comes from here on is not missed
            if self._waiting:
                break
            if self._gone is not None:
                raise Silent(self._consumer, self._gone)
            if self._expected <= 0:  # a request may have ended while its reader was busy with what it had brought
                await self._request()
            try:
                # While nothing is asked for, nothing is said.
                async with asyncio.timeout(SILENCE_S if self._expected > 0 else None):
                    await self._wake.wait()
            except TimeoutError:
                raise Silent(self._consumer, f"no sign for {SILENCE_S:g} s") from None
        taken = [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]
        if not self._refills:
            self._ahead = max(0, self._ahead - len(taken))
        elif self._expected <= self._ahead // 2:
            await self._request()
        return taken

    async def want(self, ahead: int) -> None:
        """From now on no more than so many are asked for ahead; 0: none."""
        self._ahead = ahead
        await self._request()

    def interrupt(self, reason: str) -> None:
        """Make the reader raise Silent now: what it works for is gone."""
        self._gone = reason
        self._wake.set()

    async def _request(self) -> None:
        if self._subscription is None:
            return
        count = self._ahead - max(self._expected, 0) - len(self._waiting)
        if count <= 0:
            return
        self._expected = max(self._expected, 0) + count
        self._wake.set()
        request = {
            "batch": count,
            "expires": int(EXPIRES_S * 1e9),
            "idle_heartbeat": int(HEARTBEAT_S * 1e9),
            "max_bytes": REQUEST_BYTES,
        }
        await self._client.publish(self._subject, msgspec.json.encode(request), reply=self._subscription.subject)

    async def _on_message(self, message: Msg) -> None:
        status = message.headers.get("Status") if message.headers and not message.data else None
        if status is None:
            self._waiting.append(message)
            self._expected -= 1
        elif status != _HEARTBEAT:
            self._ended(status, message.headers or {})
        self._wake.set()

    def _ended(self, status: str, headers: dict[str, str]) -> None:
        description = headers.get("Description", "")
        if status in _ENDS_REQUEST and description.startswith(_STILL_THERE):
            self._expected -= int(headers.get("Nats-Pending-Messages", self._expected))
        else:
            self._gone = f"{status} {description}".strip()
