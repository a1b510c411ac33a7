"""Which events a request wants: its parameters, checked."""

from typing import Annotated, Any
from uuid import UUID

from litestar.di import NamedDependency, Provide
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import QueryParameter

from linstock.messages.registry import EVENTS
from services.api.context import Shared
from services.api.filters import TIME, moment
from services.api.problems import FieldError, invalid
from services.api.queries.events import Wanted

LONGEST_TYPE = 100


def _plain(**more: Any) -> dict[str, Any]:
    """An absent parameter is absent: there is no null in a query."""
    return {"one_of": None, "type": OpenAPIType.STRING, **more}


def _known() -> list[str]:
    """Every type, and every group of types."""
    return sorted({*EVENTS, *(".".join(name.split(".")[:depth]) + ".*" for name in EVENTS for depth in (1, 2))})


_TYPE = QueryParameter(
    name="type",
    description="A type, or a group of types such as `linstock.scan.*`",
    schema_extra=_plain(enum=_known()),
)
_LIBRARY = QueryParameter(name="libraryId", description="Only what concerns it", schema_extra=_plain(format="uuid"))
_FROM = QueryParameter(name="from", description="At this time or later", schema_extra=dict(TIME))
_TO = QueryParameter(name="to", description="Before this time", schema_extra=dict(TIME))


async def wanted(
    context: Shared,
    type_: Annotated[str | None, _TYPE] = None,
    library_id: Annotated[UUID | None, _LIBRARY] = None,
    from_: Annotated[str | None, _FROM] = None,
    to: Annotated[str | None, _TO] = None,
) -> Wanted:
    """Raises Problem 422."""
    return Wanted(
        workspace=context.workspace,
        types=None if type_ is None else _types(type_),
        library_id=library_id,
        since=moment(from_, "from"),
        until=moment(to, "to"),
    )


def _types(asked: str) -> tuple[str, ...]:
    below = asked[:-1] if asked.endswith(".*") else None
    found = tuple(name for name in EVENTS if name == asked or (below and name.startswith(below)))
    if not found:
        raise invalid(FieldError(f"there is no event {asked[:LONGEST_TYPE]!r}", parameter="type"))
    return found


# What a handler asks for, and what provides it.
Filtered = NamedDependency[Wanted]
FILTERED = {"wanted": Provide(wanted)}
