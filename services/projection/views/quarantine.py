"""Files that can't be read as images, or are beyond a limit, each until its bytes change. From the scanner log."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.catalogue import CollectionsRecorded
from linstock.messages.enrichment import CollectionsEnriched, FilesQuarantined, QuarantinedFile
from services.projection.fact import Fact
from services.projection.rows import Rows
from services.projection.sums import Sums
from services.projection.views.files import name_of
from services.projection.views.read_counts import ReadCount

HELD, RELEASED = "held", "released"
ARCHIVE = "archive"
BROKEN_ARCHIVE = "broken_archive"
ITSELF = b""
"""The name under which an archive as a whole is held."""


class Quarantined(Struct, frozen=True):
    """`since` these very bytes. `name_key` is the name's own bytes."""

    collection_id: UUID
    name_key: bytes
    workspace: str
    library_id: UUID
    name: str
    size_bytes: int
    mtime_ns: int
    code: str
    message: str
    since: datetime
    state: str


def rows() -> Rows[Quarantined]:
    return Rows("quarantine", Quarantined, key=("collection_id", "name_key"))


def reads(fact: Fact) -> Iterable[UUID]:
    match fact.event:
        case CollectionsRecorded(collections=collections):
            return [entry.collection_id for entry in collections]
        case CollectionsEnriched(collections=collections):
            return [entry.collection_id for entry in collections]
        case FilesQuarantined(collection_id=collection_id):
            return (collection_id,)
        case _:
            return ()


def fold(quarantine: Rows[Quarantined], counts: Sums[ReadCount], fact: Fact) -> None:
    match fact.event:
        case FilesQuarantined(files=files) as event:
            for file in files:
                _hold(quarantine, counts, _row(file, event, fact))
        case CollectionsRecorded() | CollectionsEnriched() as event:
            released = _changed(event) if isinstance(event, CollectionsRecorded) else _readable(event)
            for key, of_bytes in released:
                held = quarantine.get(key)
                if held and held.state == HELD and (held.size_bytes, held.mtime_ns) != of_bytes:
                    quarantine.put(replace(held, state=RELEASED))
                    counts.add((held.library_id, held.workspace), 0, 0, -1)
        case _:
            return


Key = tuple[UUID, bytes]


def _changed(page: CollectionsRecorded) -> Iterator[tuple[Key, tuple[int, int]]]:
    """Files with the bytes that they have now: what is held for other ones is held no more."""
    for share in page.files:
        for file in share.files:
            yield (share.collection_id, name_of(file)), (file.size_bytes, file.mtime_ns)
    for entry in page.collections:
        if entry.kind == ARCHIVE and entry.digest:
            yield (entry.collection_id, ITSELF), (entry.size_bytes, entry.mtime_ns)


def _readable(page: CollectionsEnriched) -> Iterator[tuple[Key, None]]:
    """Files that were read, whatever was said of them before."""
    for entry in page.collections:
        for image in entry.images:
            yield (entry.collection_id, name_of(image)), None
        if entry.digest and entry.no_cover != BROKEN_ARCHIVE:
            yield (entry.collection_id, ITSELF), None


def _hold(quarantine: Rows[Quarantined], counts: Sums[ReadCount], row: Quarantined) -> None:
    known = quarantine.get((row.collection_id, row.name_key))
    held = known is not None and known.state == HELD
    if known and held and (known.size_bytes, known.mtime_ns) == (row.size_bytes, row.mtime_ns):
        row = replace(row, since=known.since)
    counts.add((row.library_id, row.workspace), 0, 0, int(not held))
    quarantine.put(row)


def _row(file: QuarantinedFile, event: FilesQuarantined, fact: Fact) -> Quarantined:
    return Quarantined(
        collection_id=event.collection_id,
        name_key=file.name.encode() if file.name_bytes is None else file.name_bytes,
        workspace=fact.workspace,
        library_id=event.library_id,
        name=file.name,
        size_bytes=file.size_bytes,
        mtime_ns=file.mtime_ns,
        code=file.code,
        message=file.message,
        since=event.at,
        state=HELD,
    )
