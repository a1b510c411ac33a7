"""Request bodies: strict JSON into the Struct that a handler asks for as `data`."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException
from msgspec import inspect

from services.api.problems import FieldError, Problem, invalid, wrong

LIMIT_BYTES = 1024 * 1024

_WHERE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_STEP = re.compile(r"[^.\[\]]+")
_FIELD = re.compile(r"field `(?P<field>[^`]+)`")


class StrictRequest(Request[Any, Any, Any]):
    """Litestar alone would take any media type for JSON, and 1 or "true" for true."""

    async def json(self) -> Any:
        """Raises Problem: 400 not JSON, 415 not application/json, 422 fields."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Problem(415, "unsupported-media-type", "The body must be application/json.")
        wanted = self.route_handler.parsed_data_field
        assert wanted
        try:
            return msgspec.json.decode(await self._whole(), type=wanted.annotation)
        except msgspec.ValidationError as error:
            raise invalid(_field_error(str(error), wanted.annotation)) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Problem(400, "malformed", f"The body is not JSON: {error}") from error

    async def _whole(self) -> bytes:
        try:
            return await self.body()
        except InternalServerException as error:  # the client went away, or was told that it is too slow
            raise Problem(400, "incomplete", "The body ended too early.") from error


def _field_error(message: str, wanted: Any) -> FieldError:
    where = _WHERE.search(message)
    if where:
        steps, detail = _STEP.findall(where["path"]), message[: where.start()]
        if detail.startswith("Invalid enum value") and (words := list(_words_at(inspect.type_info(wanted), steps))):
            detail += f": it is {', '.join(words[:-1])} or {words[-1]}"
        return wrong(*steps, detail=detail)
    named = _FIELD.search(message)  # Object contains unknown field `x`; … missing required field `x`
    return wrong(*([named["field"]] if named else []), detail=message)


def _words_at(kind: inspect.Type, steps: list[str]) -> Iterator[str]:
    """What a field may be, if it is one of some words; nothing within lists."""
    match kind:
        case inspect.Metadata(type=inner):
            yield from _words_at(inner, steps)
        case inspect.UnionType(types=several):
            for each in several:
                yield from _words_at(each, steps)
        case inspect.StructType(fields=fields) if steps:
            for field in fields:
                if field.encode_name == steps[0]:
                    yield from _words_at(field.type, steps[1:])
        case inspect.LiteralType(values=values) if not steps:
            yield from map(str, values)
        case _:
            return
