"""One pass over a library's folder: walk, look into archives, compare, and yield what changed. Blocks: call it in a
thread. It holds one batch of folders at a time.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from services.scanner.archive import BrokenArchive, images_in
from services.scanner.diff import (
    ARCHIVE,
    FOLDER,
    Change,
    Changed,
    Known,
    Seen,
    Unchanged,
    collection_id,
    compare,
    is_as_recorded,
)
from services.scanner.images import Images
from services.scanner.tally import Tally
from services.scanner.walk import ArchiveFile, Folder, Trouble, below, trouble_of, walk

BATCH_COLLECTIONS = 256
BATCH_IMAGES = 20_000


class Recall(Protocol):
    """What was recorded. Both calls block."""

    def known(self, collection_ids: Sequence[UUID]) -> dict[UUID, Known]: ...

    def images(self, collection_id: UUID) -> Images: ...


class Task(Struct, frozen=True, kw_only=True):
    library_id: UUID
    root: bytes
    include_subfolders: bool


Candidate = Folder | ArchiveFile


def survey(task: Task, recall: Recall, tally: Tally, stopping: Callable[[], bool]) -> Iterator[Change]:
    """Changes in the order of the walk. Raises RootUnavailable and Stopped."""
    found = walk(task.root, include_subfolders=task.include_subfolders, stopping=stopping)
    for batch in _batches(found, tally):
        ids = [_id_of(task.library_id, candidate) for candidate in batch]
        known = recall.known(ids)
        for each, candidate in zip(ids, batch, strict=True):
            change = _look(task.root, candidate, each, known.get(each), recall, tally)
            if change:
                yield change


def _batches(found: Iterable[Folder | Trouble], tally: Tally) -> Iterator[list[Candidate]]:
    batch: list[Candidate] = []
    images = 0
    for item in found:
        if isinstance(item, Trouble):
            tally.saw_trouble(item)
            continue
        tally.saw_folder(item)
        if item.images:
            batch.append(item)
            images += len(item.images)
        batch.extend(item.archives)
        if len(batch) >= BATCH_COLLECTIONS or images >= BATCH_IMAGES:
            yield batch
            batch, images = [], 0
    if batch:
        yield batch


def _id_of(library_id: UUID, candidate: Candidate) -> UUID:
    return collection_id(library_id, FOLDER if isinstance(candidate, Folder) else ARCHIVE, candidate.path)


def _look(
    root: bytes, candidate: Candidate, collection: UUID, known: Known | None, recall: Recall, tally: Tally
) -> Change | None:
    if isinstance(candidate, Folder):
        seen = Seen(collection_id=collection, kind=FOLDER, path=candidate.path, images=candidate.images)
        return _compared(seen, known, recall, tally)
    if known and known.digest and (known.size_bytes, known.mtime_ns) == (candidate.size_bytes, candidate.mtime_ns):
        tally.saw_collection(images=known.image_count, size_bytes=known.size_bytes)
        tally.unchanged += 1
        return None
    images = _open(root, candidate, tally)
    if not images:
        return None
    return _compared(_seen_archive(collection, candidate, images), known, recall, tally)


def _open(root: bytes, archive: ArchiveFile, tally: Tally) -> Images | None:
    try:
        return images_in(below(root, archive.path))
    except BrokenArchive as broken:
        tally.saw_trouble(Trouble("broken_archive", archive.path, broken.detail))
    except OSError as error:
        tally.saw_trouble(trouble_of(error, archive.path))
    return None


def _seen_archive(collection: UUID, archive: ArchiveFile, images: Images) -> Seen:
    return Seen(
        collection_id=collection,
        kind=ARCHIVE,
        path=archive.path,
        images=images,
        size_bytes=archive.size_bytes,
        mtime_ns=archive.mtime_ns,
    )


def _compared(seen: Seen, known: Known | None, recall: Recall, tally: Tally) -> Change | None:
    if known and is_as_recorded(seen, known):
        tally.compared(seen, Unchanged(absent_images=0))
        return None
    recorded = recall.images(seen.collection_id) if known else None
    difference = compare(seen, known, recorded)
    tally.compared(seen, difference)
    return difference.change if isinstance(difference, Changed) else None
