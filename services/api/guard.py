"""Before and after every request: who may ask from where and for what, and whether the answer is stale."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from litestar import Litestar, Request
from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute
from litestar.types import Message, Scope

from linstock.access.hosts import is_loopback
from linstock.access.roles import Role, covers
from services.api import freshness
from services.api.callers import Caller, Callers, unauthorized
from services.api.parameters import Parameters
from services.api.policy import PUBLIC, Needed
from services.api.problems import Problem

Connection = ASGIConnection[Any, Any, Any, Any]

_SAFE = ("GET", "HEAD", "OPTIONS")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """Lets in whom the policy lets in, and refuses other sites' pages.

    A page that rebinds its name to a loopback address sends its own Host; elsewhere the host may have any name, since a
    token is needed there, which no such page has. A form that posts here from elsewhere sends its Origin.
    """

    _parameters: Parameters
    _methods: Mapping[str, list[str]]

    def __init__(self, host: str, callers: Callers) -> None:
        self._hosts = _LOOPBACK | {host} if is_loopback(host) else frozenset[str]()
        self._callers = callers
        self._needed: Mapping[BaseRouteHandler, Needed] = {}

    def learn(self, app: Litestar, prefix: str, needed: Mapping[BaseRouteHandler, Needed]) -> None:
        """What there is and what each handler needs, once the application is made; before that nobody is let in. Query
        parameters are checked below `prefix`."""
        self._needed = needed
        self._parameters = Parameters(app, prefix)
        self._methods = {
            route.path_format: sorted(route.methods) for route in app.routes if isinstance(route, HTTPRoute)
        }

    async def admit(self, connection: Connection, _: BaseRouteHandler) -> None:
        """Litestar's guard of every route. Raises Problem 401 or 403."""
        self._check_host(connection)
        self._check_origin(connection)
        caller = await self._callers.of(connection.headers.getall("authorization", []))
        needed = self._needed[connection.route_handler]  # the one beside it is a copy
        if needed != PUBLIC:
            _check_role(caller, needed)
        connection.scope["user"] = caller

    async def before(self, request: Request[Any, Any, Any]) -> None:
        """Of whom is admitted. Raises Problem 422."""
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

    def _check_host(self, connection: Connection) -> None:
        name = urlsplit(f"//{connection.headers.get('host', '')}").hostname
        if self._hosts and name not in self._hosts:
            raise Problem(403, "host-not-allowed", "This host name is not served here; use the address itself.")

    def _check_origin(self, connection: Connection) -> None:
        assert isinstance(connection, Request), "the policy has HTTP routes only"
        if connection.method in _SAFE:
            return
        origin = connection.headers.get("origin")
        elsewhere = origin is not None and origin.partition("://")[2] != connection.headers.get("host")
        if elsewhere or connection.headers.get("sec-fetch-site") == "cross-site":
            raise Problem(403, "cross-origin", "Changes are taken from pages of this address only.")


def _check_role(caller: Caller | None, needed: Role) -> None:
    if caller is None:
        raise unauthorized("A token is needed: `linstock token create` makes one, `Authorization: Bearer` sends it.")
    if not covers(caller.role, needed):
        raise Problem(403, "forbidden", f"This needs the role {needed}; {caller.actor} is {caller.role}.")
