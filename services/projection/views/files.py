"""Images in collections, as last recorded. From the scanner log (the catalogue's pages)."""

from uuid import UUID

from msgspec import Struct

from linstock.messages.catalogue import CollectionsRecorded
from services.projection.fact import Fact
from services.projection.rows import Rows


class File(Struct, frozen=True, gc=False):
    """`name_key` is the name's own bytes: two names that look alike stay two files."""

    collection_id: UUID
    name_key: bytes
    workspace: str
    library_id: UUID
    name: str
    size_bytes: int
    mtime_ns: int


def rows() -> Rows[File]:
    return Rows("files", File, key=("collection_id", "name_key"))


def fold(files: Rows[File], fact: Fact) -> None:
    match fact.event:
        case CollectionsRecorded(library_id=library_id, files=shares):
            workspace = fact.workspace
            for share in shares:
                for entry in share.files:
                    name_key = entry.name.encode() if entry.name_bytes is None else entry.name_bytes
                    files.put(
                        File(
                            share.collection_id,
                            name_key,
                            workspace,
                            library_id,
                            entry.name,
                            entry.size_bytes,
                            entry.mtime_ns,
                        )
                    )
        case _:
            return
