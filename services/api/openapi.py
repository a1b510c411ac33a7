"""openapi.json, made from the routes and the Structs they take and give; nothing is written twice."""

import inspect
import re
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from services.api import freshness
from services.api.commands import KEY
from services.api.dto import OperationDto
from services.api.problems import CONTENT_TYPE, ProblemBody

_PARAMETER = re.compile(r"\{(\w+):uuid\}")
_REF = "#/components/schemas/{name}"


def document(app: Litestar) -> dict[str, Any]:
    """OpenAPI 3.1 of every route that is not hidden."""
    found = _documented(app)
    types = {ProblemBody, OperationDto}
    for _, handler in found:
        types.update(_answers(handler))
        types.update({handler.opt["body"]} if "body" in handler.opt else ())
    ordered = sorted(types, key=repr)
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    schema_of = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for path, handler in sorted(found, key=lambda pair: pair[0]):
        for method in sorted(handler.http_methods - {"OPTIONS"}):
            paths.setdefault(path, {})[method.lower()] = _operation(path, handler, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Linstock", "version": "1", "description": _ABOUT},
        "paths": paths,
        "components": {"schemas": components},
    }


def _documented(app: Litestar) -> list[tuple[str, HTTPRouteHandler]]:
    return [
        (_PARAMETER.sub(r"{\1}", route.path), handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if not handler.opt.get("hidden") and handler.http_methods != {"OPTIONS"}
    ]


_ABOUT = (
    "Errors are problem+json (RFC 9457) with a stable `code`. A command that its owner has not answered within a second"
    " is accepted: 202, and `Location` says where its outcome will be."
)


def _operation(path: str, handler: HTTPRouteHandler, schema_of: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": handler.handler_name,
        "summary": inspect.getdoc(handler.fn) or handler.handler_name,
        "parameters": _parameters(path, handler),
        "responses": _responses(handler, schema_of),
    }
    if body := handler.opt.get("body"):
        content = {"application/json": {"schema": schema_of[body]}}
        operation["requestBody"] = {"required": not handler.opt.get("optional_body"), "content": content}
    return operation


def _parameters(path: str, handler: HTTPRouteHandler) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]
    if handler.opt.get("paged"):
        found.append(_query("page", 1, 10_000_000))
        found.append(_query("pageSize", 20, 200))
    if handler.opt.get("command"):
        found.append(_header(KEY, "A retry under the same key is the same command, for ever."))
    elif path.startswith("/api/"):
        found.append(_header(freshness.HEADER, "Wait, at most 2 s, until these positions are reflected."))
    return found


def _query(name: str, default: int, largest: int) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1, "maximum": largest, "default": default}
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _header(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def _responses(handler: HTTPRouteHandler, schema_of: dict[Any, Any]) -> dict[str, Any]:
    answers = _answers(handler)
    main = next((kind for kind in answers if kind is not OperationDto or not handler.opt.get("command")), None)
    responses: dict[str, Any] = {
        str(handler.opt.get("status", handler.status_code)): _content("Done", "application/json", schema_of.get(main))
    }
    if handler.opt.get("command"):
        # A scan is answered with 202 also when its owner did answer.
        either = [schema_of[OperationDto], *([schema_of[main]] if handler.status_code == 202 else [])]
        content = {"application/json": {"schema": {"anyOf": either}}}
        responses["202"] = {"description": "Stored, and done later: see Location", "content": content}
    responses["default"] = _content("A problem", CONTENT_TYPE, schema_of[ProblemBody])
    return responses


def _content(description: str, media_type: str, schema: Any) -> dict[str, Any]:
    if schema is None:
        return {"description": description}
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _answers(handler: HTTPRouteHandler) -> list[Any]:
    """The Structs a handler may answer with."""
    returned = get_type_hints(handler.fn)["return"]
    choices = get_args(returned) if get_origin(returned) in (Union, UnionType) else (returned,)
    plain = [get_args(choice)[0] if get_origin(choice) is Response else choice for choice in choices]
    return [kind for kind in plain if _is_struct(kind)]


def _is_struct(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, msgspec.Struct)
