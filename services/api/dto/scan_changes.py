"""What scans changed, over HTTP."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar.params import BodyKwarg
from msgspec import UNSET, UnsetType, field

from services.api.dto.collections import Kind
from services.api.dto.wire import Page, Wire

ChangeKind = Literal["added", "changed", "missing", "restored"]


class ScanChangeDto(Wire):
    """One collection, with what it held before and after (nothing: 0). `path` and `pathBytes` are those of the
    collection."""

    collection_id: UUID
    kind: ChangeKind
    collection_kind: Kind
    path: str
    images_before: int
    images: int
    bytes_before: int
    size_bytes: int = field(name="bytes")
    at: datetime
    path_bytes: bytes | UnsetType = UNSET


ScanChangePage = Annotated[Page[ScanChangeDto], BodyKwarg(schema_component_key="ScanChangePage")]
