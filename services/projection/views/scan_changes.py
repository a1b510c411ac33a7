"""What each scan changed, collection by collection, and what dry runs would have. From the scanner log.

A row says what the collection was before the scan touched it first, and what it was after it touched it last.
What undoing a scan changes is listed as if it were another scan's (`names.undo_of`).
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock import names
from linstock.messages.catalogue import (
    Arrival,
    CollectionsMarkedMissing,
    CollectionsMoved,
    CollectionsRecorded,
    CollectionsRestored,
    CollectionsReverted,
    FilesMoved,
)
from linstock.messages.scan import ChangesPreviewed
from services.projection.fact import Fact
from services.projection.rows import Rows
from services.projection.views import collections
from services.projection.views.collections import PRESENT, Collection

ADDED, CHANGED, MISSING = "added", "changed", "missing"
MOVED, RESTORED, WITHDRAWN = "moved", "restored", "withdrawn"
Page = (
    CollectionsRecorded
    | CollectionsMarkedMissing
    | CollectionsMoved
    | CollectionsRestored
    | CollectionsReverted
    | FilesMoved
)
PLACES = 1 << 16
"""More than the changes that fit into one event."""


class ScanChange(Struct, frozen=True):
    """`ordinal` ascends with the log. `attempt` is the last that told of it."""

    collection_id: UUID
    scan_id: UUID
    workspace: str
    library_id: UUID
    ordinal: int
    attempt: int
    previewed: bool
    kind: str
    collection_kind: str
    path: str
    path_bytes: bytes | None
    images_before: int
    images: int
    bytes_before: int
    bytes: int
    at: datetime
    log: str
    path_before: str | None = None


def rows() -> Rows[ScanChange]:
    return Rows("scan_changes", ScanChange, key=("collection_id", "scan_id"))


def reads(fact: Fact, known: Rows[Collection]) -> Iterable[tuple[UUID, UUID]]:
    """A scan may touch a collection more than once: its images take several pages, or some have moved before. What
    nobody knows yet it has not touched."""
    if not isinstance(fact.event, Page):
        return
    scan_id = _scan_of(fact.event)
    for collection_id in collections.reads(fact):
        if known.get(collection_id):
            yield collection_id, scan_id


def noting(changes: Rows[ScanChange], fact: Fact) -> Callable[[Collection | None, Collection], None]:
    """To be told of each collection that the fact changes, in its order."""
    place = 0

    def note(before: Collection | None, after: Collection) -> None:
        nonlocal place
        if isinstance(fact.event, Page):
            changes.put(_changed(changes, fact, fact.event, fact.version * PLACES + place, before, after))
            place += 1

    return note


def fold(changes: Rows[ScanChange], fact: Fact) -> None:
    match fact.event:
        case ChangesPreviewed() as page:
            for place, change in enumerate(page.changes):
                changes.put(
                    ScanChange(
                        collection_id=change.collection_id,
                        scan_id=page.scan_id,
                        workspace=fact.workspace,
                        library_id=page.library_id,
                        ordinal=fact.version * PLACES + place,
                        attempt=page.attempt,
                        previewed=True,
                        kind=change.kind,
                        collection_kind=change.collection_kind,
                        path=change.path,
                        path_bytes=change.path_bytes,
                        path_before=change.path_before,
                        images_before=change.images_before,
                        images=change.images,
                        bytes_before=change.size_bytes_before,
                        bytes=change.size_bytes,
                        at=page.at,
                        log=fact.log,
                    )
                )
        case _:
            return


def _changed(
    changes: Rows[ScanChange],
    fact: Fact,
    event: Page,
    ordinal: int,
    before: Collection | None,
    after: Collection,
) -> ScanChange:
    scan_id = _scan_of(event)
    known = changes.get((after.collection_id, scan_id))
    if known is not None:
        return replace(known, attempt=event.attempt, images=_images(after), bytes=_bytes(after), at=event.at)
    arrival = arrival_of(event, after.collection_id)
    return ScanChange(
        collection_id=after.collection_id,
        scan_id=scan_id,
        workspace=fact.workspace,
        library_id=event.library_id,
        ordinal=ordinal,
        attempt=event.attempt,
        previewed=False,
        kind=MOVED if arrival else _kind(before, after),
        collection_kind=after.kind,
        path=after.path,
        path_bytes=after.path_bytes,
        images_before=_images(before),
        images=_images(after),
        bytes_before=_bytes(before),
        bytes=_bytes(after),
        at=event.at,
        log=fact.log,
        path_before=arrival.from_path if arrival else _path_before(before, after),
    )


def _scan_of(event: Page) -> UUID:
    return names.undo_of(event.scan_id) if isinstance(event, CollectionsReverted) else event.scan_id


def arrival_of(event: object, collection_id: UUID) -> Arrival | None:
    """Where it was in another library, if this event says so."""
    if not isinstance(event, CollectionsRecorded) or not event.arrived:
        return None
    return next((each for each in event.arrived if each.collection_id == collection_id), None)


def _path_before(before: Collection | None, after: Collection) -> str | None:
    return before.path if before and is_elsewhere(before, after) else None


def is_elsewhere(before: Collection, after: Collection) -> bool:
    return (before.path, before.path_bytes) != (after.path, after.path_bytes)


def _images(collection: Collection | None) -> int:
    return collection.image_count if collection and collection.state == PRESENT else 0


def _bytes(collection: Collection | None) -> int:
    return collection.size_bytes if collection and collection.state == PRESENT else 0


def _kind(before: Collection | None, after: Collection) -> str:
    if after.state == collections.WITHDRAWN:
        return WITHDRAWN
    if before is None or before.state == collections.WITHDRAWN:
        return ADDED
    match before.state == PRESENT, after.state == PRESENT:
        case True, False:
            return MISSING
        case False, True:
            return RESTORED
        case _:
            return MOVED if is_elsewhere(before, after) else CHANGED
