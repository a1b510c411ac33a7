"""Query parameters: a misspelt filter must not show everything as if it had been asked for."""

from collections import Counter
from typing import Any
from urllib.parse import parse_qsl

from litestar import Litestar, Request
from litestar.routes import HTTPRoute

from services.api.problems import FieldError, invalid

_FREE = ("text",)  # what is searched for may be any word


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
        pairs = parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True)
        given = Counter(name for name, _ in pairs)
        errors = [_error(name, count, known) for name, count in given.items() if name not in known or count > 1]
        errors += [_no_value(name) for name, value in pairs if name not in _FREE and value.lower() == "null"]
        if errors:
            raise invalid(*errors)


def _no_value(name: str) -> FieldError:
    """Litestar would take it for the parameter's absence: again a filter that shows everything."""
    return FieldError("null is no value; leave the parameter out", parameter=name)


def _error(name: str, count: int, known: frozenset[str]) -> FieldError:
    if name in known:
        return FieldError(f"it is given {count} times", parameter=name)
    others = f"there are {', '.join(sorted(known))}" if known else "this path takes none"
    return FieldError(f"there is no such parameter; {others}", parameter=name)
