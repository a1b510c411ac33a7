"""What a hash means beside the one that is known. Pure."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from linstock.messages.contents import HashedFile, RottenFile
from services.scanner.images import displayed

NEW, SAME, ROTTEN, KNOWN_ROTTEN, RIGHT_AGAIN = "new", "same", "rotten", "known_rotten", "right_again"


class File(Struct, frozen=True):
    """As it is recorded. `name` is within the collection, b"" an archive itself; `path` is below the root."""

    collection_id: UUID
    name: bytes
    path: bytes
    size_bytes: int
    mtime_ns: int


class Known(Struct, frozen=True):
    """`rotten` is what was found instead of `hash`."""

    size_bytes: int
    mtime_ns: int
    hash: bytes
    hashed_at: datetime
    rotten: bytes | None = None
    checked_by: UUID | None = None

    def is_of(self, file: File) -> bool:
        return (self.size_bytes, self.mtime_ns) == (file.size_bytes, file.mtime_ns)


def judge(file: File, known: Known | None, found: bytes) -> str:
    """One of the words above."""
    if known is None or not known.is_of(file):
        return NEW
    if found == known.hash:
        return RIGHT_AGAIN if known.rotten else SAME
    return KNOWN_ROTTEN if found == known.rotten else ROTTEN


def hashed(file: File, found: bytes) -> HashedFile:
    name, name_bytes = displayed(file.name)
    return HashedFile(name, file.size_bytes, file.mtime_ns, name_bytes, hash=found.hex())


def rotten(file: File, known: Known, found: bytes) -> RottenFile:
    name, name_bytes = displayed(file.name)
    return RottenFile(
        collection_id=file.collection_id,
        name=name,
        name_bytes=name_bytes,
        size_bytes=file.size_bytes,
        mtime_ns=file.mtime_ns,
        expected=known.hash.hex(),
        found=found.hex(),
        hashed_at=known.hashed_at,
    )
