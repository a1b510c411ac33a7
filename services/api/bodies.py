"""Request bodies: strict JSON into a Struct, or a problem that says what is wrong."""

import re
from typing import Any, TypeVar

import msgspec
from litestar import Request

from services.api.problems import FieldError, Problem, invalid

B = TypeVar("B", bound=msgspec.Struct)

LIMIT_BYTES = 1024 * 1024

_WHERE = re.compile(r" - at `\$\.?(?P<field>[^`]*)`$")
_FIELD = re.compile(r"`(?P<field>[^`]+)`")


async def body_of(request: Request[Any, Any, Any], kind: type[B], *, optional: bool = False) -> B:
    """The body as `kind`. Raises Problem: 400 not JSON, 413, 415 not application/json, 422 fields."""
    raw = await request.body()
    if optional and not raw:
        return kind()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(415, "unsupported-media-type", "The body must be application/json.")
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise invalid(_field_error(str(error))) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "malformed", f"The body is not JSON: {error}") from error


def _field_error(message: str) -> FieldError:
    where = _WHERE.search(message)
    if where:
        return FieldError(where["field"], message[: where.start()])
    named = _FIELD.search(message)  # Object contains unknown field `x`; … missing required field `x`
    return FieldError(named["field"] if named else "", message)
