"""Before and after every request: who may ask from where, and whether the answer is stale."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from litestar import Litestar, Request
from litestar.datastructures import MutableScopeHeaders
from litestar.routes import HTTPRoute
from litestar.types import Message, Scope

from services.api import freshness
from services.api.parameters import Parameters
from services.api.problems import Problem

_SAFE = ("GET", "HEAD", "OPTIONS")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """Refuses other sites' pages. A page that rebinds its name to 127.0.0.1 sends its own Host; a form that posts here
    from elsewhere sends its Origin."""

    _parameters: Parameters
    _methods: Mapping[str, list[str]]

    def __init__(self, host: str) -> None:
        self._hosts = _LOOPBACK | {host} if host in _LOOPBACK else frozenset[str]()

    def learn(self, app: Litestar, prefix: str) -> None:
        """What there is, once the application is made; query parameters are checked below `prefix`."""
        self._parameters = Parameters(app, prefix)
        self._methods = {
            route.path_format: sorted(route.methods) for route in app.routes if isinstance(route, HTTPRoute)
        }

    async def before(self, request: Request[Any, Any, Any]) -> None:
        self._check_host(request)
        self._check_origin(request)
        self._parameters.check(request)

    async def before_send(self, message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers = MutableScopeHeaders.from_message(message)
        if scope["state"].get("stale"):
            headers[freshness.STALE] = "true"
        if scope.get("method") == "OPTIONS" and message["status"] == 204:
            # Litestar's own answer knows only the first handler's methods.
            headers["allow"] = ", ".join(self._methods[scope["path_template"]])

    def _check_host(self, request: Request[Any, Any, Any]) -> None:
        name = urlsplit(f"//{request.headers.get('host', '')}").hostname
        if self._hosts and name not in self._hosts:
            raise Problem(403, "host-not-allowed", "This host name is not served here; use the address itself.")

    def _check_origin(self, request: Request[Any, Any, Any]) -> None:
        if request.method in _SAFE:
            return
        origin = request.headers.get("origin")
        elsewhere = origin is not None and origin.partition("://")[2] != request.headers.get("host")
        if elsewhere or request.headers.get("sec-fetch-site") == "cross-site":
            raise Problem(403, "cross-origin", "Changes are taken from pages of this address only.")
