"""Collections over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from litestar.params import BodyKwarg
from msgspec import UNSET, UnsetType, field

from services.api.dto.wire import Page, Wire


class CollectionDto(Wire):
    """`path` is relative to the library's ("" is its root), for display; `pathBytes` (base64) only if not UTF-8."""

    id: UUID
    name: str
    path: str
    kind: str
    image_count: int
    size_bytes: int = field(name="bytes")
    state: Literal["present", "missing"]
    path_bytes: bytes | UnsetType = UNSET


CollectionPage = Annotated[Page[CollectionDto], BodyKwarg(schema_component_key="CollectionPage")]
