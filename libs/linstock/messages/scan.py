"""Scan: the verdict on one scan job, attempt by attempt. What it found is in the Catalogue (`catalogue.py`)."""

from datetime import datetime
from uuid import UUID

from linstock.messages.message import Message


class Counts(Message, frozen=True):
    """What a scan saw. `added`, `changed` and `unchanged` count collections; `files` are all regular files, `errors`
    all that could not be read. `absent` were present before and not seen, collections and, in collections that were
    seen, images; of them `missing` were marked so. `excluded` likewise, where the library's settings say not to look
    (any more): those are never marked. `restored` collections were missing and are there again, `moved` ones (of which
    some may have been missing) are elsewhere than before. `verified` files were read from end to end; `rotten` ones
    hold other bytes than when they were hashed, though their size and time are the same. `moved_images` are in another
    collection than before, or under another name."""

    collections: int = 0
    images: int = 0
    size_bytes: int = 0
    folders: int = 0
    files: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    absent: int = 0
    errors: int = 0
    excluded: int = 0
    missing: int = 0
    restored: int = 0
    moved: int = 0
    verified: int = 0
    rotten: int = 0
    moved_images: int = 0


class ReportItem(Message, frozen=True):
    """One thing that could not be read, or a note on what was passed over (with an empty path). `code`: broken_archive
    | broken_image | bit_rot | unreadable | vanished | path_too_long; symlinks_skipped | specials_skipped | left_out |
    excluded. `path` is for display, shortened in the middle when it is very long."""

    code: str
    path: str
    message: str
    path_bytes: bytes | None = None


class ScanCompleted(Message, frozen=True, tag="linstock.scan.completed.v1"):
    """The work has ended. `held` removals wait for a person (the Catalogue has them). `report` holds the first 200
    items, notes such as skipped symbolic links included; `counts.errors` counts all errors. `dry_run`: nothing of it
    was recorded; what would have been is in ChangesPreviewed. `unenriched` collections hold images that nobody has
    looked into yet."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    lease: UUID
    counts: Counts
    duration_ms: int
    held: int
    at: datetime
    report: tuple[ReportItem, ...] = ()
    dry_run: bool = False
    unenriched: int = 0


class PreviewedChange(Message, frozen=True):
    """One collection that a scan would record. `kind` is added | changed | moved (from `path_before`). `path` and
    `path_bytes` are as in CollectionEntry."""

    kind: str
    collection_id: UUID
    collection_kind: str  # folder | archive
    path: str
    images: int
    images_before: int
    size_bytes: int
    size_bytes_before: int
    path_bytes: bytes | None = None
    path_before: str | None = None


class ChangesPreviewed(Message, frozen=True, tag="linstock.scan.changes_previewed.v1"):
    """What a dry run would have recorded, a page of it; `page` counts from 1 within the attempt. At most 20,000 changes
    of a scan are listed; `counts` of its verdict counts all."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    page: int
    changes: tuple[PreviewedChange, ...]
    at: datetime


class ScanFailed(Message, frozen=True, tag="linstock.scan.failed.v1"):
    """`final` failures are not retried. Nothing was marked missing because of it."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    lease: UUID
    code: str
    message: str
    final: bool
    at: datetime


class ScanCancelled(Message, frozen=True, tag="linstock.scan.cancelled.v1"):
    """The job was closed from outside (cancelled, timed out, lease lost) before this attempt had a verdict."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    reason: str
    at: datetime


class ScanUndone(Message, frozen=True, tag="linstock.scan.undone.v1"):
    """Somebody undid what the scan recorded (`attempt` was its last), in the same append: `withdrawn` collections that
    it had found new, `changed` ones that have their former images, `restored` ones that it had not found and `missing`
    ones that it had. `left_alone` were touched since, and stay as they are."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    actor: str
    at: datetime
    withdrawn: int
    changed: int
    restored: int
    missing: int
    left_alone: int


ScanEvent = ScanCompleted | ScanFailed | ScanCancelled | ChangesPreviewed | ScanUndone


# Commands


class CompleteScan(Message, frozen=True, tag="CompleteScan"):
    verdict: ScanCompleted


class PreviewChanges(Message, frozen=True, tag="PreviewChanges"):
    page: ChangesPreviewed


class FailScan(Message, frozen=True, tag="FailScan"):
    verdict: ScanFailed


class AbandonScan(Message, frozen=True, tag="AbandonScan"):
    verdict: ScanCancelled


ScanCommand = CompleteScan | PreviewChanges | FailScan | AbandonScan
