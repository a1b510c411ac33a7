"""What lists are filtered by. Litestar would describe an optional parameter as one that may be null, which no query can
say; the schemas here are of what it is when it is given."""

from collections.abc import Mapping
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

# No URL has a NUL: `services/api/target.py`.
Text: TypeAlias = Annotated[
    str,
    QueryParameter(
        max_length=200, description="Part of it, in any letter case", schema_extra={"pattern": r"^[^\x00]*$"}
    ),
]
LibraryId: TypeAlias = Annotated[UUID | None, QueryParameter(name="libraryId", schema_extra=dict(ID))]


def words(literal: object) -> dict[str, Any]:
    """The schema of one of the words of a Literal."""
    return {"one_of": None, "type": OpenAPIType.STRING, "enum": list(get_args(literal))}


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
