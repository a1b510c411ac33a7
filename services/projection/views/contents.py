"""What each library holds, and by how much that changed on each day (UTC). From the scanner log."""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from services.projection.sums import Sums
from services.projection.views.collections import PRESENT, WITHDRAWN, Collection


class Content(Struct, frozen=True):
    library_id: UUID
    workspace: str
    state: str
    kind: str
    collections: int
    images: int
    size_bytes: int


class ContentDay(Struct, frozen=True):
    """How much more of what is present there was at the end of the day than at its beginning."""

    library_id: UUID
    workspace: str
    day: date
    collections: int
    images: int
    size_bytes: int


def sums() -> Sums[Content]:
    return Sums("contents", Content, key=("library_id", "workspace", "state", "kind"))


def day_sums() -> Sums[ContentDay]:
    return Sums("content_days", ContentDay, key=("library_id", "workspace", "day"))


def fold(
    contents: Sums[Content],
    days: Sums[ContentDay],
    before: Collection | None,
    after: Collection,
    at: datetime,
) -> None:
    """A collection changed `at` this time."""
    day = at.date()
    for collection, sign in ((before, -1), (after, 1)):
        if collection is None or collection.state == WITHDRAWN:
            continue
        library_id, workspace = collection.library_id, collection.workspace
        amounts = (sign, sign * collection.image_count, sign * collection.size_bytes)
        contents.add((library_id, workspace, collection.state, collection.kind), *amounts)
        if collection.state == PRESENT:
            days.add((library_id, workspace, day), *amounts)
