"""What every body has in common, in camelCase. Times are RFC 3339 in UTC; durations in milliseconds; sizes in bytes."""

from typing import Annotated, Generic, TypeVar

from litestar.enums import RequestEncodingType
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import BodyKwarg
from msgspec import Meta, Struct

T = TypeVar("T")

# Patterns and formats are for whoever reads the document: what they say is checked by the owner, whose sentences are
# better than "does not match".
_CONTROL = r"\x00-\x1f\x7f-\x9f"
ONE_LINE = f"^[^{_CONTROL}]*[^{_CONTROL}\\s][^{_CONTROL}]*$"
LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"


def said(**schema: object) -> dict[str, object]:
    """What the document says of a type, besides."""
    return {"extra": schema}


def whole_number(least: int, most: int, description: str) -> Meta:
    """Also written 5.0: to JSON Schema that is an integer."""
    return Meta(
        ge=least, le=most, multiple_of=1, description=description, extra_json_schema=said(type=OpenAPIType.INTEGER)
    )


Name = Annotated[str, Meta(min_length=1, max_length=200, extra_json_schema=said(pattern=ONE_LINE))]
Description = Annotated[str, Meta(max_length=2000, extra_json_schema=said(pattern=LINES))]
Cron = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        description="5 fields, or 6 with seconds first",
        extra_json_schema=said(format="cron"),
    ),
]
Zone = Annotated[
    str,
    Meta(min_length=1, max_length=100, description="IANA time zone", extra_json_schema=said(format="time-zone")),
]


class Wire(Struct, rename="camel", kw_only=True):
    """Answers."""


class Body(Struct, frozen=True, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """Requests: a misspelt field is an error, not a silent default."""


class Page(Wire, Generic[T]):
    """`page` counts from 1. A page beyond the last is empty, not an error."""

    data: list[T]
    total_count: int
    page: int
    page_size: int
    total_pages: int


# What handlers take as `data`.
Taken = Annotated[T, BodyKwarg(media_type=RequestEncodingType.JSON, schema_extra={"additional_properties": False})]
