"""Catalogue: the content of one library, and the consistency boundary of it (aggregate id = library id).

Every change names the scan and attempt that made it; the catalogue refuses any writer but the one whose `ScanStarted`
it recorded last. Pages are at most 512 KiB encoded.
"""

from datetime import datetime
from uuid import UUID

from linstock.messages.message import Message

PAGE_LIMIT_BYTES = 512 * 1024


class FileEntry(Message, frozen=True, array_like=True, gc=False):
    """One image in a collection. `name_bytes` is set only when the name is not UTF-8; identity uses the bytes."""

    name: str
    size_bytes: int
    mtime_ns: int
    name_bytes: bytes | None = None


class CollectionEntry(Message, frozen=True):
    """A folder whose direct children include an image, or an archive that contains one. `path` is relative to the
    library's root ("" is the root). `path_bytes` is set only when the path is not UTF-8, or is so long (more than
    2,000 bytes) that `path` leaves out its middle.

    Images that are not there any more still count until they are marked missing. A collection whose images take
    several pages is repeated on each of them, with an empty digest on all but the last."""

    collection_id: UUID
    path: str
    name: str
    kind: str  # folder | archive
    image_count: int
    size_bytes: int
    digest: str  # of the sorted (name, size, mtime) of its images: equal digests, nothing to record
    path_bytes: bytes | None = None
    mtime_ns: int = 0  # of an archive: with its size, what tells that it need not be opened again


class CollectionFiles(Message, frozen=True):
    """Images of a collection that are new or changed since they were last recorded (one page's share of them)."""

    collection_id: UUID
    files: tuple[FileEntry, ...]


class MissingFiles(Message, frozen=True):
    """Images of a collection that is there, which are not there any more, and what the collection is without them.
    Names that are not UTF-8 are in `names_bytes`. When they take several pages, the digest is empty on all but the
    last."""

    collection_id: UUID
    names: tuple[str, ...]
    image_count: int
    size_bytes: int
    digest: str
    names_bytes: tuple[bytes, ...] = ()


class Arrival(Message, frozen=True):
    """A collection of this page that was one of another library before, under another id: `from_path` (and its bytes,
    as in CollectionEntry) is where. A CollectionsDeparted of that library is in the same append."""

    collection_id: UUID
    from_library_id: UUID
    from_collection_id: UUID
    from_path: str
    from_path_bytes: bytes | None = None


class Departure(Message, frozen=True):
    """Under which id a collection goes on in the other library."""

    collection_id: UUID
    to_collection_id: UUID


# Events. What is recorded (again) is present. Pages count from 1 within scan and attempt, whatever is on them.


class ScanStarted(Message, frozen=True, tag="linstock.scan.started.v1"):
    """From here on only this scan and attempt may write to the catalogue."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    lease: UUID
    worker: str
    root: str
    at: datetime


class CollectionsRecorded(Message, frozen=True, tag="linstock.catalogue.collections_recorded.v1"):
    """One page of what a scan found new or changed. `page` counts from 1 within scan and attempt."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    page: int
    collections: tuple[CollectionEntry, ...]
    files: tuple[CollectionFiles, ...]
    added: int
    at: datetime
    arrived: tuple[Arrival, ...] = ()


class CollectionsMarkedMissing(Message, frozen=True, tag="linstock.catalogue.collections_marked_missing.v1"):
    """One page of what is not there any more. It keeps its identity and its images, and may come back. Of removals
    that were approved `scan_id` is the scan that proposed them, and pages count from 1 again."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    page: int
    at: datetime
    collections: tuple[UUID, ...] = ()
    files: tuple[MissingFiles, ...] = ()


class CollectionsRestored(Message, frozen=True, tag="linstock.catalogue.collections_restored.v1"):
    """One page of missing collections that are there again, as they were recorded."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    page: int
    at: datetime
    collections: tuple[UUID, ...] = ()


class MovedCollection(Message, frozen=True):
    """`entry` is where it is now, otherwise as it was; `from_path` (and its bytes, as in CollectionEntry) where it was
    before."""

    entry: CollectionEntry
    from_path: str
    from_path_bytes: bytes | None = None


class CollectionsMoved(Message, frozen=True, tag="linstock.catalogue.collections_moved.v1"):
    """One page of collections that are elsewhere than before, with the same images, and keep their ids. One that was
    missing is there again."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    page: int
    collections: tuple[MovedCollection, ...]
    at: datetime


class MovedFile(Message, frozen=True, array_like=True, gc=False):
    """An image that is elsewhere than before, as it was. Names as in FileEntry."""

    name: str
    to_collection_id: UUID
    to_name: str
    name_bytes: bytes | None = None
    to_name_bytes: bytes | None = None


class MovedFiles(Message, frozen=True):
    """Images that are not in a collection any more, and where they are now; what the collection is without them. When
    they take several pages, the digest is empty on all but the last."""

    collection_id: UUID
    files: tuple[MovedFile, ...]
    image_count: int
    size_bytes: int
    digest: str


class FilesMoved(Message, frozen=True, tag="linstock.catalogue.files_moved.v1"):
    """One page of images that the scan has found in one collection and no more in another (or in the same under
    another name): there they are recorded already, here they are not missing, but gone."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    page: int
    collections: tuple[MovedFiles, ...]
    at: datetime


class CollectionsDeparted(Message, frozen=True, tag="linstock.catalogue.collections_departed.v1"):
    """Collections that `scan_id`, a scan of `to_library_id`, has found there and no more here. They are not missing:
    they go on there. Nobody needs to own this catalogue for it."""

    scan_id: UUID
    library_id: UUID
    to_library_id: UUID
    collections: tuple[Departure, ...]
    at: datetime


class RemovalsProposed(Message, frozen=True, tag="linstock.catalogue.removals_proposed.v1"):
    """One page of collections that were not there. They stay present: a RemovalsHeld of the same scan and attempt
    follows, else nobody was asked."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    page: int
    at: datetime
    collections: tuple[UUID, ...] = ()


class RemovalsHeld(Message, frozen=True, tag="linstock.catalogue.removals_held.v1"):
    """`count` known collections were not there, in a way that looks like a disk being away. A person decides.
    `reason`: empty_root | no_collections | root_moved | too_many; `message` is a sentence. `replaces` is the scan whose
    hold this one takes the place of. `file_system` is where this scan looked."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    count: int
    reason: str
    at: datetime
    message: str = ""
    replaces: UUID | None = None
    file_system: str = ""


class RemovalsApproved(Message, frozen=True, tag="linstock.catalogue.removals_approved.v1"):
    """Somebody said that what the hold proposed is gone for good: `count` collections were marked missing with it."""

    held_scan_id: UUID
    library_id: UUID
    actor: str
    count: int
    at: datetime


class RemovalsRejected(Message, frozen=True, tag="linstock.catalogue.removals_rejected.v1"):
    """Somebody said that what the hold proposed is not gone: nothing is marked, and nobody is asked about it again."""

    held_scan_id: UUID
    library_id: UUID
    actor: str
    at: datetime


class HoldSettled(Message, frozen=True, tag="linstock.catalogue.hold_settled.v1"):
    """A later scan found what was proposed again, or marked what it did not: the hold of `held_scan_id` no longer waits
    for anybody."""

    scan_id: UUID
    held_scan_id: UUID
    library_id: UUID
    at: datetime


class AbsentFile(FileEntry, frozen=True, array_like=True, gc=False, kw_only=True):
    """An image that is missing in its collection, since then."""

    missing_since: datetime


class RevertedCollection(Message, frozen=True):
    """What an undone scan touched, as it was before. Without an `entry` it was not known then: it is withdrawn, and the
    next scan that sees it records it anew. `recorded_by` is the scan that recorded it so, `missing_by` the one that did
    not find it. Of the images only those that the scan touched: as they were, missing as they were, and names that were
    not known (those that are not UTF-8 in `forgotten_bytes`). A collection that takes several pages is on each of them,
    with an empty digest on all but the last."""

    collection_id: UUID
    entry: CollectionEntry | None = None
    recorded_by: UUID | None = None
    recorded_at: datetime | None = None
    missing_since: datetime | None = None
    missing_by: UUID | None = None
    files: tuple[FileEntry, ...] = ()
    absent: tuple[AbsentFile, ...] = ()
    forgotten: tuple[str, ...] = ()
    forgotten_bytes: tuple[bytes, ...] = ()


class CollectionsReverted(Message, frozen=True, tag="linstock.catalogue.collections_reverted.v1"):
    """One page of what is again as it was before `scan_id`, which somebody undid. Pages count from 1 again; nobody owns
    the catalogue meanwhile."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    page: int
    collections: tuple[RevertedCollection, ...]
    at: datetime


class PurgedFiles(Message, frozen=True):
    """Images that had been missing in a collection that is there. Names that are not UTF-8 are in `names_bytes`."""

    collection_id: UUID
    names: tuple[str, ...] = ()
    names_bytes: tuple[bytes, ...] = ()


class CollectionsPurged(Message, frozen=True, tag="linstock.catalogue.collections_purged.v1"):
    """One page of what had been missing since before `missing_before`, and that somebody, or the library's own policy
    (`actor` is the scanner then), wants to hear of no more: it is as if it had never been there. Files that turn up at
    these places are new. `purge_id` is the same on all pages of one purge."""

    purge_id: UUID
    library_id: UUID
    page: int
    actor: str
    missing_before: datetime
    at: datetime
    collections: tuple[UUID, ...] = ()
    files: tuple[PurgedFiles, ...] = ()


class CatalogueReleased(Message, frozen=True, tag="linstock.catalogue.released.v1"):
    """The scan that owned the catalogue ended, with its verdict in the same append. Nobody may write now.
    `file_system` names, to whoever compares, the one that the library's content is on; empty: as before."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    at: datetime
    file_system: str = ""


CataloguePage = (
    CollectionsRecorded
    | CollectionsMarkedMissing
    | CollectionsMoved
    | CollectionsRestored
    | FilesMoved
    | RemovalsProposed
)
CatalogueEvent = (
    ScanStarted
    | CollectionsRecorded
    | CollectionsMarkedMissing
    | CollectionsMoved
    | CollectionsRestored
    | FilesMoved
    | RemovalsProposed
    | RemovalsHeld
    | RemovalsApproved
    | RemovalsRejected
    | HoldSettled
    | CollectionsReverted
    | CollectionsPurged
    | CollectionsDeparted
    | CatalogueReleased
)


# Commands


class StartScan(Message, frozen=True, tag="StartScan"):
    started: ScanStarted


class RecordPage(Message, frozen=True, tag="RecordPage"):
    page: CataloguePage


class HoldRemovals(Message, frozen=True, tag="HoldRemovals"):
    held: RemovalsHeld


class SettleHold(Message, frozen=True, tag="SettleHold"):
    """Of what an earlier scan held nothing waits any more."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    at: datetime


class ReleaseCatalogue(Message, frozen=True, tag="ReleaseCatalogue"):
    scan_id: UUID
    library_id: UUID
    attempt: int
    at: datetime
    file_system: str = ""


CatalogueCommand = StartScan | RecordPage | HoldRemovals | SettleHold | ReleaseCatalogue


class ApproveRemovals(Message, frozen=True, tag="ApproveRemovals"):
    """What the scan proposed is gone."""

    library_id: UUID
    scan_id: UUID


class RejectRemovals(Message, frozen=True, tag="RejectRemovals"):
    """What the scan proposed is not gone."""

    library_id: UUID
    scan_id: UUID


class UndoScan(Message, frozen=True, tag="UndoScan"):
    """Make everything that the scan touched, and no later one, as it was before. `dry_run`: only say what that is."""

    library_id: UUID
    scan_id: UUID
    dry_run: bool = False


class PurgeMissing(Message, frozen=True, tag="PurgeMissing"):
    """Forget what has been missing for `older_than_days` (0: all that is missing now); of these `collections` only, if
    any are named. `dry_run`: only say how much that is."""

    library_id: UUID
    older_than_days: int = 0
    collections: tuple[UUID, ...] = ()
    dry_run: bool = False


RemovalsCommand = ApproveRemovals | RejectRemovals
