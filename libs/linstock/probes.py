"""How a process says how it is: `/livez`, `/readyz` and `/metrics` on a port of its own.

A web framework would cost megabytes and wake-ups in every service; three GET paths need neither.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import prometheus_client

CHECK_TIMEOUT_S = 1.0
REQUEST_TIMEOUT_S = 5.0
MAX_REQUEST_BYTES = 16 * 1024

Check = Callable[[], Awaitable[str | None]]
"""Returns None when well, else the reason in a few words. Longer than `CHECK_TIMEOUT_S` counts as unwell."""

_STARTING = "starting"
_STOPPING = "stopping"


class Vitals:
    """What a service tells about itself: named readiness checks, and a failure it cannot live with."""

    def __init__(self, service: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.service = service
        self._monotonic = monotonic
        self._since: dict[str, float] = {}  # when each check was first seen unwell
        self._checks: dict[str, Check] = {}
        self._lifecycle: str | None = _STARTING
        self._failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def check(self, name: str, check: Check) -> None:
        """Add a readiness check, or replace the one of that name (so a retried start may add it again)."""
        self._checks[name] = check

    def fail(self, error: BaseException) -> None:
        """End the process: it is stopped, exits with 1, and its supervisor starts it again. First call counts."""
        if not self._failure.done():
            self._failure.set_result(error)

    async def failure(self) -> BaseException:
        return await asyncio.shield(self._failure)

    def not_started(self, reason: str) -> None:
        self._lifecycle = f"{_STARTING}: {reason}"

    def started(self) -> None:
        self._lifecycle = None

    def stopping(self) -> None:
        self._lifecycle = _STOPPING

    async def unready(self) -> dict[str, str]:
        """Reasons by check, and for how long somebody has seen them; empty when ready."""
        if self._lifecycle is not None:
            return {"lifecycle": self._lifecycle}
        answers = await asyncio.gather(*(_ask(check) for check in self._checks.values()))
        reasons = {name: reason for name, reason in zip(self._checks, answers, strict=True) if reason is not None}
        now = self._monotonic()
        self._since = {name: self._since.get(name, now) for name in reasons}
        return {name: reason + _lasting(now - self._since[name]) for name, reason in reasons.items()}


async def _ask(check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT_S:g} s"
    except Exception as error:
        return " ".join(str(error).split()) or type(error).__name__


def _lasting(seconds: float) -> str:
    return f", for {seconds:.0f} s now" if seconds >= 1 else ""


class ProbeServer:
    """Serves one process's vitals. Answers need nothing but the event loop, so `/livez` proves that it turns."""

    def __init__(self, vitals: Vitals, host: str, port: int) -> None:
        self._vitals, self._host, self._port = vitals, host, port
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        """Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, self._host, self._port, limit=MAX_REQUEST_BYTES)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._answer(head))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a caller that went away, or never spoke HTTP
        finally:
            writer.close()

    async def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method not in (b"GET", b"HEAD"):
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"GET only\n")
        match path:
            case b"/livez":
                return _response(HTTPStatus.OK, "application/json", b'{"live":true}')
            case b"/readyz":
                return await self._readiness()
            case b"/metrics":
                kind = prometheus_client.CONTENT_TYPE_LATEST
                return _response(HTTPStatus.OK, kind, prometheus_client.generate_latest())
            case _:
                return _response(HTTPStatus.NOT_FOUND, "text/plain", b"/livez, /readyz or /metrics\n")

    async def _readiness(self) -> bytes:
        reasons = await self._vitals.unready()
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        body = {"service": self._vitals.service, "ready": not reasons, "reasons": reasons}
        return _response(status, "application/json", json.dumps(body).encode())


def _response(status: HTTPStatus, kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Cache-Control: no-store\r\nConnection: close\r\n\r\n".encode() + body
