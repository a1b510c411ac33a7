"""What is known of the bytes of files, over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar.params import BodyKwarg
from msgspec import UNSET, UnsetType, field

from services.api.dto.wire import Page, Wire


class SameFileDto(Wire):
    """`path` is below the library's, for display."""

    collection_id: UUID
    library_id: UUID
    path: str


class DuplicateDto(Wire):
    """`count` files hold the very same `bytes` bytes (their SHA-256 is `hash`): one of them would do. `files` are the
    first 20, by path."""

    hash: str
    size_bytes: int = field(name="bytes")
    count: int
    reclaimable_bytes: int
    files: list[SameFileDto]


class RottenFileDto(Wire):
    """A file that holds other bytes (`found`) than when it was hashed (`expected`, at `hashedAt`), though its size and
    time are the same. `path` is below the library's; `name` is within its collection, "" for an archive as a whole."""

    collection_id: UUID
    path: str
    name: str
    size_bytes: int = field(name="bytes")
    expected: str
    found: str
    hashed_at: datetime
    since: datetime
    name_bytes: bytes | UnsetType = UNSET


class RotAcceptedDto(Wire):
    """How many files are as they should be now, since somebody says so."""

    accepted: int


DuplicatePage = Annotated[Page[DuplicateDto], BodyKwarg(schema_component_key="DuplicatePage")]
RotPage = Annotated[Page[RottenFileDto], BodyKwarg(schema_component_key="RotPage")]
# Exactly this, so that it is told apart from an operation.
AcceptedRot = Annotated[RotAcceptedDto, BodyKwarg(schema_extra={"additional_properties": False})]
