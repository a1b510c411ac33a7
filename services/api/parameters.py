"""Query parameters: a misspelt filter must not show everything as if it had been asked for."""

from collections import Counter
from typing import Any
from urllib.parse import parse_qsl

from litestar import Litestar, Request
from litestar.routes import HTTPRoute

from services.api.problems import FieldError, invalid


class Parameters:
    """Which query parameters each handler takes."""

    def __init__(self, app: Litestar, prefix: str) -> None:
        """Of what is served below `prefix`."""
        self._known = {
            handler.handler_name: frozenset(each.field_alias for each in model.expected_query_params)
            for route in app.routes
            if isinstance(route, HTTPRoute) and route.path.startswith(prefix)
            for handler, model in route.route_handler_map.values()
        }

    def check(self, request: Request[Any, Any, Any]) -> None:
        """Raises Problem 422, for what is not known, and for what is given twice."""
        known = self._known.get(request.route_handler.handler_name)
        if known is None:
            return
        given = Counter(name for name, _ in parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True))
        errors = [_error(name, count, known) for name, count in given.items() if name not in known or count > 1]
        if errors:
            raise invalid(*errors)


def _error(name: str, count: int, known: frozenset[str]) -> FieldError:
    if name in known:
        return FieldError(f"it is given {count} times", parameter=name)
    others = f"there are {', '.join(sorted(known))}" if known else "this path takes none"
    return FieldError(f"there is no such parameter; {others}", parameter=name)
