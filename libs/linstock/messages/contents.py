"""Contents: hashes of whole files, and those that do not hold any more (one per library, `names.contents_of`).

Facts about bytes: each names the file with the size and time that it had, so nobody has to own the catalogue to record
them, and one about bytes that have changed openly since says nothing. Of an archive it is the file as a whole that is
hashed: its name is "". Pages are at most 512 KiB encoded.
"""

from datetime import datetime
from uuid import UUID

from linstock.messages.catalogue import FileEntry
from linstock.messages.message import Message


class HashedFile(FileEntry, frozen=True, array_like=True, gc=False, kw_only=True):
    """`hash` is the SHA-256 of its bytes, in hex."""

    hash: str


class HashedCollection(Message, frozen=True):
    collection_id: UUID
    files: tuple[HashedFile, ...]


class RottenFile(Message, frozen=True):
    """Its size and time are as they were when its hash was `expected` (at `hashed_at`), and its bytes are others."""

    collection_id: UUID
    name: str
    size_bytes: int
    mtime_ns: int
    expected: str
    found: str
    hashed_at: datetime
    name_bytes: bytes | None = None


# Events


class ContentsHashed(Message, frozen=True, tag="linstock.contents.hashed.v1"):
    """One page of files that were hashed for the first time, or for the first time since they changed."""

    scan_id: UUID
    library_id: UUID
    collections: tuple[HashedCollection, ...]
    at: datetime


class RotFound(Message, frozen=True, tag="linstock.contents.rot_found.v1"):
    """These files hold other bytes than before, though nobody changed them: their disk did, or something that hides its
    traces."""

    scan_id: UUID
    library_id: UUID
    files: tuple[RottenFile, ...]
    at: datetime


class RotOver(Message, frozen=True, tag="linstock.contents.rot_over.v1"):
    """These files, rotten before, hold their former bytes again."""

    scan_id: UUID
    library_id: UUID
    files: tuple[RottenFile, ...]
    at: datetime


class RotAccepted(Message, frozen=True, tag="linstock.contents.rot_accepted.v1"):
    """Somebody said that what was found in these files is right."""

    library_id: UUID
    actor: str
    files: tuple[RottenFile, ...]
    at: datetime


ContentsEvent = ContentsHashed | RotFound | RotOver | RotAccepted


# Commands


class AcceptRot(Message, frozen=True, tag="AcceptRot"):
    """What every rotten file of the library holds now is right."""

    library_id: UUID
