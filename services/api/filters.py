"""What lists are filtered by. Litestar would describe an optional parameter as one that may be null, which no query can
say; the schemas here are of what it is when it is given."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias, get_args
from uuid import UUID

import msgspec
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import QueryParameter

from services.api.problems import FieldError, invalid

ID: Mapping[str, Any] = {"one_of": None, "type": OpenAPIType.STRING, "format": OpenAPIFormat.UUID}
TIME: Mapping[str, Any] = {"one_of": None, "type": OpenAPIType.STRING, "format": OpenAPIFormat.DATE_TIME}
TRUTH: Mapping[str, Any] = {"one_of": None, "type": OpenAPIType.BOOLEAN}
_WORDS = re.compile(r"[a-z_]+(,[a-z_]+){0,19}", re.ASCII)

# No URL has a NUL: `services/api/target.py`.
Text: TypeAlias = Annotated[
    str,
    QueryParameter(
        max_length=200, description="Part of it, in any letter case", schema_extra={"pattern": r"^[^\x00]*$"}
    ),
]
LibraryId: TypeAlias = Annotated[UUID | None, QueryParameter(name="libraryId", schema_extra=dict(ID))]


LONGEST_WORDS = 400


def words(literal: object) -> dict[str, Any]:
    """The schema of one of the words of a Literal."""
    return {"one_of": None, "type": OpenAPIType.STRING, "enum": list(get_args(literal))}


def some_of(known: Collection[str] = ()) -> dict[str, Any]:
    """The schema of several words with commas between them."""
    word = f"({'|'.join(known)})" if known else "[a-z_]+"
    pattern = f"^{word}(,{word}){{0,19}}$"
    return {"one_of": None, "type": OpenAPIType.STRING, "max_length": LONGEST_WORDS, "pattern": pattern}


def several(given: str | None, parameter: str, known: Collection[str] = ()) -> tuple[str, ...]:
    """The words with commas between them; none: any. Raises Problem 422."""
    if given is None:
        return ()
    words = tuple(given.split(",")) if len(given) <= LONGEST_WORDS and _WORDS.fullmatch(given) else ("",)
    if "" in words or (known and not set(words) <= set(known)):
        said = ", ".join(known) if known else "words such as overlap or misfire"
        raise invalid(FieldError(f"it is {said}; several with commas between", parameter=parameter))
    return words


def moment(given: str | None, parameter: str) -> datetime | None:
    """A time in UTC. Litestar alone would take 0.5 for one: seconds since 1970. Raises Problem 422."""
    if given is None:
        return None
    try:
        at = msgspec.convert(given, datetime)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        pass
    raise invalid(FieldError("a time is RFC 3339 with its zone: 2026-03-01T12:00:00Z", parameter=parameter))
