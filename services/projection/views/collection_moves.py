"""Where collections were before, as far as scans have seen them move. From the scanner log."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from linstock.messages.catalogue import CollectionsMoved, CollectionsReverted
from services.projection.fact import Fact
from services.projection.rows import Added
from services.projection.views.collections import Collection
from services.projection.views.scan_changes import PLACES, is_elsewhere


class CollectionMove(Struct, frozen=True):
    """`ordinal` ascends with the log. `undone`: it is back, because somebody undid `scan_id`."""

    collection_id: UUID
    ordinal: int
    workspace: str
    library_id: UUID
    scan_id: UUID
    undone: bool
    from_path: str
    from_path_bytes: bytes | None
    to_path: str
    to_path_bytes: bytes | None
    at: datetime


def rows() -> Added[CollectionMove]:
    return Added("collection_moves", CollectionMove, key=("collection_id", "ordinal"))


def noting(moves: Added[CollectionMove], fact: Fact) -> Callable[[Collection | None, Collection], None]:
    """To be told of each collection that the fact changes, in its order."""
    place = 0

    def note(before: Collection | None, after: Collection) -> None:
        nonlocal place
        event = fact.event
        if not isinstance(event, CollectionsMoved | CollectionsReverted):
            return
        place += 1
        if before is None or not is_elsewhere(before, after):
            return
        moves.put(
            CollectionMove(
                collection_id=after.collection_id,
                ordinal=fact.version * PLACES + place,
                workspace=fact.workspace,
                library_id=event.library_id,
                scan_id=event.scan_id,
                undone=isinstance(event, CollectionsReverted),
                from_path=before.path,
                from_path_bytes=before.path_bytes,
                to_path=after.path,
                to_path_bytes=after.path_bytes,
                at=event.at,
            )
        )

    return note
