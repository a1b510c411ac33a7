"""Where collections were before, as far as scans have seen them move. From the scanner log."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct

from linstock.messages.catalogue import CollectionsMoved, CollectionsRecorded, CollectionsReverted
from services.projection.fact import Fact
from services.projection.rows import Added
from services.projection.views.collections import Collection
from services.projection.views.scan_changes import PLACES, arrival_of, is_elsewhere


class CollectionMove(Struct, frozen=True):
    """`ordinal` ascends with the log. `undone`: it is back, because somebody undid `scan_id`. `from_library_id`: it was
    in that one before."""

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
    from_library_id: UUID | None = None


Place: TypeAlias = tuple[UUID | None, str, bytes | None]


def rows() -> Added[CollectionMove]:
    return Added("collection_moves", CollectionMove, key=("collection_id", "ordinal"))


def noting(moves: Added[CollectionMove], fact: Fact) -> Callable[[Collection | None, Collection], None]:
    """To be told of each collection that the fact changes, in its order."""
    place = 0

    def note(before: Collection | None, after: Collection) -> None:
        nonlocal place
        event = fact.event
        if not isinstance(event, CollectionsMoved | CollectionsRecorded | CollectionsReverted):
            return
        place += 1
        was = _origin(event, before, after)
        if was is None:
            return
        from_library_id, from_path, from_path_bytes = was
        moves.put(
            CollectionMove(
                collection_id=after.collection_id,
                ordinal=fact.version * PLACES + place,
                workspace=fact.workspace,
                library_id=event.library_id,
                scan_id=event.scan_id,
                undone=isinstance(event, CollectionsReverted),
                from_path=from_path,
                from_path_bytes=from_path_bytes,
                to_path=after.path,
                to_path_bytes=after.path_bytes,
                at=event.at,
                from_library_id=from_library_id,
            )
        )

    return note


def _origin(event: object, before: Collection | None, after: Collection) -> Place | None:
    """Library and path; None: it is where it was."""
    if isinstance(event, CollectionsRecorded):
        arrival = arrival_of(event, after.collection_id)
        return (arrival.from_library_id, arrival.from_path, arrival.from_path_bytes) if arrival else None
    if before is None or not is_elsewhere(before, after):
        return None
    return None, before.path, before.path_bytes
