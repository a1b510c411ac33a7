"""Files in quarantine over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar.params import BodyKwarg
from msgspec import UNSET, UnsetType, field

from services.api.dto.wire import Page, Wire


class QuarantinedFileDto(Wire):
    """A file that can't be read as an image; it is read again when its size or time changes. `path` is below the
    library's; `name` is within its collection, "" for an archive as a whole. `code`: corrupt, not_an_image, empty,
    encrypted, broken_archive, crashed (it ended the process that read it), or the limit that it is beyond:
    too_many_pixels, too_large, too_much_memory, too_slow, zip_ratio, too_many_entries, bad_name."""

    collection_id: UUID
    path: str
    name: str
    size_bytes: int = field(name="bytes")
    code: str
    message: str
    since: datetime
    name_bytes: bytes | UnsetType = UNSET


QuarantinePage = Annotated[Page[QuarantinedFileDto], BodyKwarg(schema_component_key="QuarantinePage")]
