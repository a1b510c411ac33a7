"""Collections over HTTP."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar.params import BodyKwarg
from msgspec import UNSET, UnsetType, field

from services.api.dto.wire import Page, Wire

State = Literal["present", "missing"]
Kind = Literal["folder", "archive"]
CollectionSort = Literal[
    "path", "-path", "name", "-name", "imageCount", "-imageCount", "bytes", "-bytes", "recordedAt", "-recordedAt"
]


class CoverDto(Wire):
    """`url` answers with a thumbnail (WebP); `&size=160`, `320` or `640` may be added. `hash` is the SHA-256 of the
    cover's file, whose own size as shown this is."""

    url: str
    width: int
    height: int
    hash: str


class MoveDto(Wire):
    """`scanId` is the scan that saw it, or that was `undone`: then it went back. `fromLibraryId`: it was in that
    library before, under another id, which still leads to it; null: it was in the same."""

    from_: str = field(name="from")
    to: str
    at: datetime
    scan_id: UUID
    undone: bool
    from_library_id: UUID | None
    from_bytes: bytes | UnsetType = UNSET
    to_bytes: bytes | UnsetType = UNSET


class CollectionDto(Wire):
    """`path` is relative to the library's ("" is its root), for display; `pathBytes` (base64) only if not UTF-8.
    `recordedAt` is when a scan last found it new or changed. While it is missing it keeps what it held, and its id; it
    comes back by itself when a scan finds it. `cover` is null until its images were read, and when none of them can be
    shown. `pathHistory`, of one collection alone: where it was before, the latest first (100 at most)."""

    id: UUID
    library_id: UUID
    name: str
    path: str
    kind: str
    image_count: int
    size_bytes: int = field(name="bytes")
    state: State
    recorded_at: datetime
    missing_since: datetime | None
    cover: CoverDto | None
    path_bytes: bytes | UnsetType = UNSET
    path_history: list[MoveDto] | UnsetType = UNSET


CollectionPage = Annotated[Page[CollectionDto], BodyKwarg(schema_component_key="CollectionPage")]
