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

    Images that are not there any more still count until their removal is recorded. A collection whose images take
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


# Events


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


class RemovalsHeld(Message, frozen=True, tag="linstock.catalogue.removals_held.v1"):
    """`count` known collections were not there, in a way that looks like a disk being away. A person decides."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    count: int
    reason: str
    at: datetime


class HoldSettled(Message, frozen=True, tag="linstock.catalogue.hold_settled.v1"):
    """A later scan found content again: the hold of `held_scan_id` no longer waits for anybody."""

    scan_id: UUID
    held_scan_id: UUID
    library_id: UUID
    at: datetime


class CatalogueReleased(Message, frozen=True, tag="linstock.catalogue.released.v1"):
    """The scan that owned the catalogue ended, with its verdict in the same append. Nobody may write now."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    at: datetime


CatalogueEvent = ScanStarted | CollectionsRecorded | RemovalsHeld | HoldSettled | CatalogueReleased


# Commands


class StartScan(Message, frozen=True, tag="StartScan"):
    started: ScanStarted


class RecordPage(Message, frozen=True, tag="RecordPage"):
    page: CollectionsRecorded


class HoldRemovals(Message, frozen=True, tag="HoldRemovals"):
    held: RemovalsHeld


class SettleHold(Message, frozen=True, tag="SettleHold"):
    """A scan saw content: whatever an earlier scan held is settled."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    at: datetime


class ReleaseCatalogue(Message, frozen=True, tag="ReleaseCatalogue"):
    scan_id: UUID
    library_id: UUID
    attempt: int
    at: datetime


CatalogueCommand = StartScan | RecordPage | HoldRemovals | SettleHold | ReleaseCatalogue
