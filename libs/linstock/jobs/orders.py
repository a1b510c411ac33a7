"""What a worker is asked to do, under which lease, and what may come of it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Raw, Struct
from nats.aio.msg import Msg

from linstock.messages.job import JobRequest
from linstock.messages.message import NOTHING
from linstock.messages.work import ORDERS_HEADER, Orders

STOPPED = "stopped"

_REQUEST: msgspec.json.Decoder[JobRequest] = msgspec.json.Decoder(JobRequest)


class Order(Struct, frozen=True, kw_only=True):
    """A copy of the job's request, and which attempt of it is wanted."""

    request: JobRequest
    attempt: int
    workspace: str
    event_id: UUID  # ce-id of the request
    correlation_id: UUID
    traceparent: str | None


class Lease:
    """The right to run one attempt. `lost` is set when it is over: end soon, and change nothing more. `why` is then
    cancelled | timed_out | lost | stopped (the worker itself). `checkpoint` is the last that an earlier attempt
    kept."""

    def __init__(self, lease: UUID, worker: str, deadline: datetime | None, checkpoint: Raw = NOTHING) -> None:
        self.lease = lease
        self.worker = worker
        self.deadline = deadline
        self.checkpoint = checkpoint
        self.lost = asyncio.Event()
        self.why = ""
        self._on_end: list[Callable[[str], None]] = []

    def on_end(self, listener: Callable[[str], None]) -> None:
        """Told why, once, when it is over: at once if it is."""
        if self.why:
            listener(self.why)
        else:
            self._on_end.append(listener)

    def end(self, why: str) -> None:
        """The first reason counts."""
        if not self.why:
            self.why = why
            self.lost.set()
            for listener in self._on_end:
                listener(why)


class Device(Struct, frozen=True):
    """What an order would work on, and how many may at once there. An empty name: it does not matter."""

    name: str = ""
    limit: int = 0


async def no_device(order: Order) -> Device:
    del order
    return Device()


class OwnVerdict(Struct, frozen=True):
    """Returned by a handler whose verdict is an event of its own service; nothing is reported then."""


class Snoozed(Struct, frozen=True):
    """Returned by a handler that can't do its work yet."""

    for_s: float
    reason: str = ""


class Failed(Exception):
    """Raised by `run` for a failure that it has said all about: `code`, `message`, `kinds`, and whether it is final."""

    def __init__(self, code: str, message: str, *, kinds: tuple[str, ...] = (), final: bool = False) -> None:
        super().__init__(message)
        self.code, self.message, self.kinds, self.final = code, message, kinds, final


Result = Raw | OwnVerdict | Snoozed
Run = Callable[[Order, Lease], Awaitable[Result]]


class Taken:
    """A message with orders: acked when the claim of each was answered, given back when one was not."""

    def __init__(self, message: Msg, orders: int) -> None:
        self._message = message
        self._left = orders
        self._answered = True

    async def done(self, *, answered: bool) -> None:
        self._left -= 1
        self._answered &= answered
        if self._left == 0:
            await (self._message.ack() if self._answered else self._message.nak(delay=1))


def read(message: Msg) -> list[Order]:
    """Raises KeyError, ValueError and msgspec.DecodeError."""
    headers = message.headers or {}
    if ORDERS_HEADER in headers:
        return _read_several(message.data, headers["ce-workspace"])
    correlation = headers.get("ce-correlationid") or headers["ce-id"]
    order = Order(
        request=_REQUEST.decode(message.data),
        attempt=int(headers["ls-attempt"]),
        workspace=headers["ce-workspace"],
        event_id=UUID(headers["ce-id"]),
        correlation_id=UUID(correlation),
        traceparent=headers.get("traceparent"),
    )
    return [order]


def _read_several(data: bytes, workspace: str) -> list[Order]:
    return [
        Order(
            request=_REQUEST.decode(placed.request),
            attempt=placed.attempt,
            workspace=workspace,
            event_id=placed.event_id,
            correlation_id=placed.correlation_id,
            traceparent=placed.traceparent,
        )
        for placed in msgspec.json.decode(data, type=Orders).orders
    ]
