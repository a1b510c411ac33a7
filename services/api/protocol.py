"""HTTP/1.1 below the application: what can't be read as a request, or never ends, is a problem like any other.

uvicorn's own protocol answers what h11 can't read with a line of text, and waits for ever for the rest of a request.
"""

import asyncio
import sys
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from linstock import tracing
from services.api.problems import CONTENT_TYPE, Problem, encoded

REQUEST_WITHIN_S = 15.0  # from its first byte, or the connection's begin, to its last
LINGER_S = 2.0

_TOO_LONG = {
    414: Problem(414, "url-too-long", "The request line is too long."),
    431: Problem(431, "headers-too-large", "The headers are too large."),
}
_TOO_SLOW = Problem(408, "request-timeout", f"A request arrives within {REQUEST_WITHIN_S:.0f} seconds.")


class Protocol(H11Protocol):
    """One connection."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        closing = _Lingering(cast(asyncio.Transport, transport), self.loop, self._is_sending)
        super().connection_made(cast(asyncio.Transport, closing))
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self.transport.is_closing():
            super().data_received(data)
            self._watch()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 it is the same for everything
        """Called by uvicorn for what h11 can't read, while it handles h11's error."""
        error = sys.exception()
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        if status == 431 and b"\n" not in self.conn.trailing_data[0]:
            status = 414
        reading_head = self.conn.our_state is h11.IDLE
        problem = _TOO_LONG.get(status) if reading_head else None
        self._refuse(problem or Problem(400, "malformed-request", f"This is no HTTP/1.1 request: {error}"))

    def _is_sending(self) -> bool:
        """Whether more may come from there that nobody will read."""
        return self.conn.their_state in (h11.SEND_BODY, h11.ERROR)

    def _watch(self) -> None:
        """Whether the client owes us the rest of a request."""
        if self.transport.is_closing() or self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._unwatch()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_WITHIN_S, self._too_slow)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            self.transport.close()  # it never began
        else:
            self._refuse(_TOO_SLOW)

    def _refuse(self, problem: Problem) -> None:
        """Says it, unless an answer is on its way already, and closes."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle and not cycle.response_complete:
            cycle.disconnected = True  # the application need not answer any more
            cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in _answer(problem):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class _Lingering:
    """A transport that, closed while the client still sends, first lets it read the answer: to drop what it has sent
    unread would reset the connection, and the answer with it."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, is_sending: Any) -> None:
        self._transport = transport
        self._loop = loop
        self._is_sending = is_sending
        self._lingers = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        return self._lingers or self._transport.is_closing()

    def close(self) -> None:
        if self.is_closing():
            return
        if not (self._is_sending() and self._transport.can_write_eof()):
            self._transport.close()
            return
        self._lingers = True
        self._transport.write_eof()
        self._transport.resume_reading()
        self._loop.call_later(LINGER_S, self._transport.close)


def _answer(problem: Problem) -> list[h11.Event]:
    with tracing.span("HTTP"):
        body = encoded(problem)
        made: dict[str, str] = {}
        tracing.inject(made)
    headers = {
        **made,
        "content-type": CONTENT_TYPE,
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "connection": "close",
    }
    response = h11.Response(status_code=problem.status, headers=list(headers.items()))
    return [response, h11.Data(data=body), h11.EndOfMessage()]
