"""Collections of a library. From the scanner log (the catalogue's pages). Nothing marks one missing yet."""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from linstock.messages.catalogue import CollectionEntry, CollectionsRecorded
from services.projection.fact import Fact
from services.projection.rows import Rows

PRESENT = "present"


class Collection(Struct, frozen=True):
    """`scan_id` recorded it last. `path_bytes` is set only when the path is not UTF-8. `folded` is the path without
    case, for searching."""

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
    folded: str


def rows() -> Rows[Collection]:
    return Rows("collections", Collection, key=("collection_id",))


def reads(fact: Fact) -> Iterable[UUID]:
    match fact.event:
        case CollectionsRecorded() as page:
            return (entry.collection_id for entry in page.collections)
        case _:
            return ()


def fold(collections: Rows[Collection], fact: Fact, changed: Callable[[Collection | None, Collection], None]) -> None:
    """`changed` is told what each row was and is."""
    match fact.event:
        case CollectionsRecorded() as page:
            for entry in page.collections:
                row = _row(entry, page, fact)
                changed(collections.get(row.collection_id), row)
                collections.put(row)
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
        folded=entry.path.casefold(),
    )
