"""Libraries over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar.params import BodyKwarg
from msgspec import UNSET, Meta, UnsetType

from services.api.dto.wire import Body, Cron, Description, Name, Page, Wire, Zone

Path = Annotated[str, Meta(min_length=1, max_length=4096, description="Absolute path of a folder on the server")]


class CreateLibraryBody(Body, frozen=True):
    name: Name
    path: Path
    description: Description = ""
    auto_scan: bool = False
    cron_expression: Cron = "0 2 * * *"
    time_zone: Zone = "UTC"


class ChangeLibraryBody(Body, frozen=True):
    """Only what is given changes."""

    name: Name | UnsetType = UNSET
    path: Path | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    auto_scan: bool | UnsetType = UNSET
    cron_expression: Cron | UnsetType = UNSET
    time_zone: Zone | UnsetType = UNSET


class LibraryDto(Wire):
    id: UUID
    name: str
    path: str
    description: str
    auto_scan: bool
    cron_expression: str
    time_zone: str
    created_at: datetime
    updated_at: datetime


LibraryPage = Annotated[Page[LibraryDto], BodyKwarg(schema_component_key="LibraryPage")]
