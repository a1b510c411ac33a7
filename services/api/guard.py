"""Before and after every request: who may ask from where, and whether the answer is stale."""

from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

from services.api import freshness
from services.api.problems import Problem

_SAFE = ("GET", "HEAD", "OPTIONS")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """Refuses other sites' pages. A page that rebinds its name to 127.0.0.1 sends its own Host; a form that posts here
    from elsewhere sends its Origin."""

    def __init__(self, host: str) -> None:
        self._hosts = _LOOPBACK | {host} if host in _LOOPBACK else frozenset[str]()

    async def before(self, request: Request[Any, Any, Any]) -> None:
        self._check_host(request)
        self._check_origin(request)

    async def before_send(self, message: Message, scope: Scope) -> None:
        if message["type"] == "http.response.start" and scope["state"].get("stale"):
            MutableScopeHeaders.from_message(message)[freshness.STALE] = "true"

    def _check_host(self, request: Request[Any, Any, Any]) -> None:
        name = urlsplit(f"//{request.headers.get('host', '')}").hostname
        if self._hosts and name not in self._hosts:
            raise Problem(403, "host-not-allowed", "This host name is not served here; use the address itself.")

    def _check_origin(self, request: Request[Any, Any, Any]) -> None:
        if request.method in _SAFE:
            return
        origin = request.headers.get("origin")
        elsewhere = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
        if elsewhere or request.headers.get("sec-fetch-site") == "cross-site":
            raise Problem(403, "cross-origin", "Changes are taken from pages of this address only.")
