"""What scans changed, over HTTP."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar.params import BodyKwarg
from msgspec import UNSET, UnsetType, field

from services.api.dto.collections import Kind
from services.api.dto.wire import Body, Page, Wire

ChangeKind = Literal["added", "changed", "missing", "moved", "restored", "withdrawn"]


class ScanChangeDto(Wire):
    """One collection, with what it held before and after (nothing: 0). Only an undo makes one `withdrawn`. `path` and
    `pathBytes` are those of the collection; if it was elsewhere before, `pathBefore` says where."""

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
    path_before: str | UnsetType = UNSET


ScanChangePage = Annotated[Page[ScanChangeDto], BodyKwarg(schema_component_key="ScanChangePage")]


class UndoBody(Body, frozen=True):
    """`dryRun`: only say what that would do."""

    dry_run: bool = False


class UndoneDto(Wire):
    """How many collections are (of a dry run: would be) `withdrawn` because the scan had found them new, `changed` back
    to their former images, `restored` or `missing` again; `leftAlone`: a later scan touched them."""

    scan_id: UUID
    dry_run: bool
    withdrawn: int
    changed: int
    restored: int
    missing: int
    left_alone: int


# Exactly this, so that it is told apart from an operation.
UndoneScan = Annotated[UndoneDto, BodyKwarg(schema_extra={"additional_properties": False})]
