"""One pass over a library's folder: walk, look into archives, compare, and yield what changed. Blocks: call it in a
thread. It holds one batch of folders at a time.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from linstock.roots import ANYWHERE, Bounds
from services.scanner.archive import BrokenArchive, images_in
from services.scanner.diff import Change, Changed, Known, Seen, Unchanged, collection_id, compare, is_as_recorded
from services.scanner.images import Images
from services.scanner.listing import ArchiveFile, Folder, Trouble, trouble_of
from services.scanner.opened import Opened
from services.scanner.opening import below
from services.scanner.scope import ARCHIVE, FOLDER, Scope
from services.scanner.tally import Tally
from services.scanner.walk import walk

BATCH_COLLECTIONS = 256
BATCH_IMAGES = 20_000


class Recall(Protocol):
    """What was recorded, and what is remembered of archives. All calls block."""

    def known(self, collection_ids: Sequence[UUID]) -> dict[UUID, Known]: ...

    def images(self, collection_id: UUID) -> Images: ...

    def opened(self, collection_ids: Sequence[UUID]) -> dict[UUID, Opened]: ...

    def remember(self, opened: dict[UUID, Opened]) -> None: ...


class Task(Struct, frozen=True, kw_only=True):
    """`deep`: archives are opened also when their size and time are as recorded. `bounds`: nothing outside is read."""

    library_id: UUID
    root: bytes
    scope: Scope
    deep: bool = False
    bounds: Bounds = ANYWHERE


Candidate = Folder | ArchiveFile


def survey(task: Task, recall: Recall, tally: Tally, stopping: Callable[[], bool]) -> Iterator[Change]:
    """Changes in the order of the walk. Raises RootUnavailable and Stopped."""
    found = walk(task.root, task.scope, bounds=task.bounds, stopping=stopping)
    for batch in _batches(found, tally):
        yield from _Batch(task, recall, tally, batch).changes()


def _batches(found: Iterable[Folder | Trouble], tally: Tally) -> Iterator[list[Candidate]]:
    batch: list[Candidate] = []
    images = 0
    for item in found:
        if isinstance(item, Trouble):
            tally.saw_trouble(item)
            continue
        tally.saw_folder(item)
        # One whose images are all left out may have been recorded under other settings.
        if item.images or item.left_out_images:
            batch.append(item)
            images += len(item.images)
        batch.extend(item.archives)
        if len(batch) >= BATCH_COLLECTIONS or images >= BATCH_IMAGES:
            yield batch
            batch, images = [], 0
    if batch:
        yield batch


class _Batch:
    """Some collections as they are on disk, beside what was recorded of them."""

    def __init__(self, task: Task, recall: Recall, tally: Tally, batch: Sequence[Candidate]) -> None:
        self._task = task
        self._recall = recall
        self._tally = tally
        self._candidates = [(_id_of(task.library_id, candidate), candidate) for candidate in batch]
        self._known = recall.known([each for each, _ in self._candidates])
        archives = [each for each, candidate in self._candidates if isinstance(candidate, ArchiveFile)]
        self._opened = recall.opened(archives) if archives else {}
        self._extensions = b" ".join(task.scope.images).decode()

    def changes(self) -> Iterator[Change]:
        newly_opened: dict[UUID, Opened] = {}
        for collection, candidate in self._candidates:
            if isinstance(candidate, Folder):
                change = self._folder(collection, candidate)
            elif self._is_as_opened(collection, candidate):
                self._pass_over(collection)
                continue
            else:
                change = self._archive(collection, candidate, newly_opened)
            if change:
                yield change
        if newly_opened:
            self._recall.remember(newly_opened)

    def _folder(self, collection: UUID, folder: Folder) -> Change | None:
        if not folder.images:
            self._saw_excluded(collection)
            return None
        seen = Seen(collection_id=collection, kind=FOLDER, path=folder.path, images=folder.images)
        return self._compared(
            seen,
            leaves_out=lambda name: self._task.scope.leaves_out_image(below(folder.path, name)),
            unreadable=lambda name: self._tally.could_not_read(below(folder.path, name)),
        )

    def _is_as_opened(self, collection: UUID, archive: ArchiveFile) -> bool:
        before, known = self._opened.get(collection), self._known.get(collection)
        if before is None or self._task.deep or before.extensions != self._extensions:
            return False
        now = (archive.size_bytes, archive.mtime_ns)
        if now != (before.size_bytes, before.mtime_ns):
            return False
        # What it held is remembered before it is recorded.
        recorded = known is not None and known.digest != "" and now == (known.size_bytes, known.mtime_ns)
        if known is not None and known.image_count > before.image_count + before.left_out:
            return False  # which of its images are gone is not remembered
        return recorded or not before.image_count

    def _pass_over(self, collection: UUID) -> None:
        before, known = self._opened[collection], self._known.get(collection)
        if known and before.image_count:
            unseen = max(0, known.image_count - before.image_count)
            excluded = min(unseen, before.left_out)
            self._tally.saw(collection)
            self._tally.saw_collection(images=before.image_count, size_bytes=before.size_bytes)
            self._tally.saw_unchanged(absent_images=unseen - excluded, excluded_images=excluded)
            self._tally.saw_again(collection, known, changed=False)
        elif before.left_out:
            self._saw_excluded(collection)

    def _archive(self, collection: UUID, archive: ArchiveFile, newly_opened: dict[UUID, Opened]) -> Change | None:
        found = self._open(archive)
        if found is None:
            return None
        scope = self._task.scope
        images = found.pick([at for at, name in enumerate(found.names) if not scope.leaves_out_member(name)])
        newly_opened[collection] = Opened(
            size_bytes=archive.size_bytes,
            mtime_ns=archive.mtime_ns,
            extensions=self._extensions,
            image_count=len(images),
            left_out=len(found) - len(images),
        )
        if not images:
            if found:
                self._saw_excluded(collection)
            return None
        seen = Seen(
            collection_id=collection,
            kind=ARCHIVE,
            path=archive.path,
            images=images,
            size_bytes=archive.size_bytes,
            mtime_ns=archive.mtime_ns,
        )
        return self._compared(seen, leaves_out=scope.leaves_out_member)

    def _saw_excluded(self, collection: UUID) -> None:
        """It is there, with nothing but images that the settings leave out."""
        if collection in self._known:
            self._tally.saw(collection)
            self._tally.excluded_collections += 1

    def _open(self, archive: ArchiveFile) -> Images | None:
        try:
            return images_in(self._task.root, archive.path, self._task.bounds)
        except BrokenArchive as broken:
            self._tally.saw_trouble(Trouble("broken_archive", archive.path, broken.detail))
        except OSError as error:
            self._tally.saw_trouble(trouble_of(error, archive.path))
        return None

    def _compared(self, seen: Seen, **judging: Callable[[bytes], bool]) -> Change | None:
        known = self._known.get(seen.collection_id)
        self._tally.saw(seen.collection_id)
        if known and is_as_recorded(seen, known):
            self._tally.compared(seen, known, Unchanged())
            return None
        recorded = self._recall.images(seen.collection_id) if known else None
        difference = compare(seen, known, recorded, **judging)
        self._tally.compared(seen, known, difference)
        return difference.change if isinstance(difference, Changed) else None


def _id_of(library_id: UUID, candidate: Candidate) -> UUID:
    return collection_id(library_id, FOLDER if isinstance(candidate, Folder) else ARCHIVE, candidate.path)
