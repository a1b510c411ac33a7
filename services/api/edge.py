"""Around the application: one trace for each request, no request that nobody could mean, HEAD wherever there is GET."""

from typing import Any

import structlog
from litestar.datastructures import MutableScopeHeaders
from litestar.types import ASGIApp, HTTPDisconnectEvent, Message, Receive, Scope, Send

from linstock import tracing
from services.api import target
from services.api.problems import CONTENT_TYPE, Problem, encoded, problem_of

logger = structlog.get_logger(__name__)


class Edge:
    """The outermost ASGI application. Every answer names its trace in the header `traceparent`; so does every line that
    is logged meanwhile, as `trace_id`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with tracing.span(f"{scope['method']} HTTP", given):
            answer = _Answer(scope, receive, send)
            try:
                target.check(scope)
                await self._app(_as_get(scope), answer.receive, answer.send)
            except Problem as problem:
                await answer.refuse(problem)
            except Exception as error:
                logger.exception("Request failed outside the application")
                if answer.begun:
                    raise
                await answer.refuse(problem_of(error))


class _Answer:
    """What goes back."""

    def __init__(self, scope: Any, receive: Receive, send: Send) -> None:
        self._head = scope["method"] == "HEAD"
        self._receive = receive
        self._send = send
        self._over = False
        self.begun = False

    async def receive(self) -> Any:
        """To a HEAD, a body without end (a stream) ends with its header."""
        return HTTPDisconnectEvent(type="http.disconnect") if self._over else await self._receive()

    async def send(self, message: Message) -> None:
        if self._over:
            return
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableScopeHeaders.from_message(message)
            tracing.inject(headers)
            if allowed := headers.get("allow"):
                headers["allow"] = _with_head(allowed)
        await self._send(message)
        if self._head and message["type"] == "http.response.start":
            self._over = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def refuse(self, problem: Problem) -> None:
        body = encoded(problem)
        headers = {"content-type": CONTENT_TYPE, "content-length": str(len(body)), "cache-control": "no-store"}
        pairs = [(name.encode(), value.encode()) for name, value in {**headers, **problem.headers}.items()]
        await self.send({"type": "http.response.start", "status": problem.status, "headers": pairs})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})


def _as_get(scope: Scope) -> Scope:
    """Routes take GET; the server leaves a HEAD's body out."""
    return {**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope  # type: ignore[return-value]


def _with_head(allowed: str) -> str:
    methods = {each.strip() for each in allowed.split(",")}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))
