"""Of each library: collections whose images were read, those of them with a cover, and files in quarantine. From the
scanner log."""

from uuid import UUID

from msgspec import Struct

from services.projection.sums import Sums


class ReadCount(Struct, frozen=True):
    library_id: UUID
    workspace: str
    collections: int
    covers: int
    quarantined: int


def sums() -> Sums[ReadCount]:
    return Sums("read_counts", ReadCount, key=("library_id", "workspace"))
