"""Enrichment: what was found in the images themselves (one per library, `names.enrichment_of`).

Facts about bytes: each names the file with the size and time it had, so nobody has to own the catalogue to record them,
a fact recorded twice changes nothing, and one about bytes that have changed since is passed over. Pages are at most
512 KiB encoded. Thumbnails are not in here: they are made again from the cover's bytes, under its hash.
"""

from datetime import datetime
from uuid import UUID

from linstock.messages.catalogue import FileEntry
from linstock.messages.message import Message

THUMBNAIL_SIZES = (160, 320, 640)
"""Pixels of the longest side."""
LARGEST_THUMBNAIL_BYTES = 512 * 1024
"""So each is one message."""


class ImageFact(FileEntry, frozen=True, array_like=True, gc=False, kw_only=True):
    """An image that is as large as this, as it is shown (a rotation it asks for applied)."""

    width: int
    height: int


class Cover(Message, frozen=True):
    """`name` is within the collection. `hash` is the SHA-256 of the file's bytes, in hex; sizes are as shown."""

    name: str
    size_bytes: int
    mtime_ns: int
    hash: str
    width: int
    height: int
    name_bytes: bytes | None = None


class EnrichedCollection(Message, frozen=True):
    """`digest` and `mtime_ns` are those of the catalogue's entry whose images were read; an empty digest: more follows
    on the next page. `images` are those that were not known yet. `flawed` counts all of its files in quarantine.
    Without a cover, `no_cover` says why: no_valid_image | too_large (to be decoded) | broken_archive."""

    collection_id: UUID
    digest: str
    mtime_ns: int
    images: tuple[ImageFact, ...]
    image_count: int = 0  # valid ones, all in all
    flawed: int = 0
    cover: Cover | None = None
    no_cover: str = ""


class QuarantinedFile(Message, frozen=True):
    """`name` is within the collection, "" the archive itself. It is read again only when its size or time changes (of
    an archive: the archive's own).

    `code`: corrupt | not_an_image | empty | encrypted | broken_archive | crashed (it ended the process that read it);
    or the limit that it is beyond: too_many_pixels | too_large | too_much_memory | too_slow | zip_ratio |
    too_many_entries | bad_name."""

    name: str
    size_bytes: int
    mtime_ns: int
    code: str
    message: str
    name_bytes: bytes | None = None


class CollectionsEnriched(Message, frozen=True, tag="linstock.enrichment.collections_enriched.v1"):
    """One page of what was read. `job_id` is the run that read it."""

    job_id: UUID
    library_id: UUID
    collections: tuple[EnrichedCollection, ...]
    at: datetime


class FilesQuarantined(Message, frozen=True, tag="linstock.enrichment.files_quarantined.v1"):
    """These files of one collection can't be read as images, or would take more than anybody is allowed."""

    job_id: UUID
    library_id: UUID
    collection_id: UUID
    files: tuple[QuarantinedFile, ...]
    at: datetime


EnrichmentEvent = CollectionsEnriched | FilesQuarantined


class EnrichPayload(Message, frozen=True):
    """What an Enrich job is told: the library, the scan that found something new, and where it looked."""

    library_id: UUID
    scan_id: UUID
    root: str


class WantedThumbnails(Message, frozen=True):
    """Core NATS, from the API to a scanner: the thumbnails of this collection's cover are gone. Losing one changes
    nothing: whoever wants to see them asks again."""

    collection_id: UUID
    hash: str
