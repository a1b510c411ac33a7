"""Forgetting what is missing, over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar.params import BodyKwarg
from msgspec import UNSET, Meta, UnsetType

from services.api.dto.wire import Body, Wire, said, whole_number

Days = Annotated[float, whole_number(0, 36_500, "Only what has been missing for so many days; 0: all that is missing")]
Ids = Annotated[list[UUID], Meta(max_length=1000, extra_json_schema=said(items={"type": "string", "format": "uuid"}))]


class PurgeBody(Body, frozen=True):
    """`collectionIds`: only these, and missing images in these. `dryRun`: only say how much that would be."""

    older_than_days: Days = 0
    collection_ids: Ids | UnsetType = UNSET
    dry_run: bool = False


class PurgedDto(Wire):
    """How many collections, and images in other collections, are (of a dry run: would be) forgotten. They had been
    missing since before `missingBefore`."""

    library_id: UUID
    dry_run: bool
    missing_before: datetime
    collections: int
    images: int


# Exactly this, so that it is told apart from an operation.
PurgedMissing = Annotated[PurgedDto, BodyKwarg(schema_extra={"additional_properties": False})]
