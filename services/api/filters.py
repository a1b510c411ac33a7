"""What lists are filtered by. Litestar would describe an optional parameter as one that may be null, which no query can
say; the schemas here are of what it is when it is given."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias, get_args
from uuid import UUID

from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import QueryParameter

ID: Mapping[str, Any] = {"one_of": None, "type": OpenAPIType.STRING, "format": OpenAPIFormat.UUID}
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
