"""Files of collections over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar.params import BodyKwarg
from msgspec import UNSET, UnsetType, field

from services.api.dto.wire import Page, Wire


class OriginDto(Wire):
    """In which collection it was before, and under which name (for display), until a scan saw it go."""

    collection_id: UUID
    name: str
    at: datetime


class FileDto(Wire):
    """An image in a folder or an archive, as recorded last. `name` is within its collection, for display; `nameBytes`
    (base64) only if it is not UTF-8. `modifiedAt` to the microsecond, between 1677 and 2262. `missingSince`: it is not
    in its collection any more, and comes back by itself when a scan finds it. `width` and `height` are as it is shown;
    `valid` is null until it was read, and false while it is in quarantine."""

    name: str
    size_bytes: int = field(name="bytes")
    modified_at: datetime
    missing_since: datetime | None
    width: int | None
    height: int | None
    valid: bool | None
    moved_from: OriginDto | None
    name_bytes: bytes | UnsetType = UNSET


FilePage = Annotated[Page[FileDto], BodyKwarg(schema_component_key="FilePage")]
