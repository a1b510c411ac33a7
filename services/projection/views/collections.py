"""Collections of a library. From the scanner log (the catalogue's pages). Nothing marks one missing yet."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from linstock.messages.catalogue import CollectionEntry, CollectionsRecorded
from services.projection.fact import Fact
from services.projection.rows import Rows

PRESENT = "present"


class Collection(Struct, frozen=True):
    """`scan_id` recorded it last. `path_bytes` is set only when the path is not UTF-8."""

    collection_id: UUID
    workspace: str
    library_id: UUID
    path: str
    path_bytes: bytes | None
    name: str
    kind: str
    image_count: int
    size_bytes: int
    digest: str
    state: str
    scan_id: UUID
    recorded_at: datetime


def rows() -> Rows[Collection]:
    return Rows("collections", Collection, key=("collection_id",))


def fold(collections: Rows[Collection], fact: Fact) -> None:
    match fact.event:
        case CollectionsRecorded() as page:
            for entry in page.collections:
                collections.put(_row(entry, page, fact))
        case _:
            return


def _row(entry: CollectionEntry, page: CollectionsRecorded, fact: Fact) -> Collection:
    return Collection(
        collection_id=entry.collection_id,
        workspace=fact.workspace,
        library_id=page.library_id,
        path=entry.path,
        path_bytes=entry.path_bytes,
        name=entry.name,
        kind=entry.kind,
        image_count=entry.image_count,
        size_bytes=entry.size_bytes,
        digest=entry.digest,
        state=PRESENT,
        scan_id=page.scan_id,
        recorded_at=page.at,
    )
