"""Some folders as they are on disk, compared with what was recorded of their collections; archives are looked into.
Blocks.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Protocol
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from services.scanner import headers
from services.scanner.archive import BrokenArchive, images_in
from services.scanner.diff import (
    Change,
    Changed,
    Known,
    Seen,
    Unchanged,
    arrived,
    collection_id,
    compare,
    is_as_recorded,
    moved,
)
from services.scanner.identity import Kin, Kinship, origin
from services.scanner.images import Images
from services.scanner.listing import ArchiveFile, Folder, Stopped, Trouble, trouble_of
from services.scanner.opened import Opened
from services.scanner.opening import below
from services.scanner.places import is_gone
from services.scanner.remembered import FolderRow, Remembered, row_of
from services.scanner.scope import ARCHIVE, FOLDER
from services.scanner.tally import Tally
from services.scanner.task import Task

STOP_EVERY_IMAGES = 16  # that are opened
IMAGES_AT_ONCE = 20_000


class Recall(Protocol):
    """What was recorded, and what is remembered of archives. All calls block."""

    def known(self, places: Sequence[UUID]) -> dict[UUID, Known]: ...

    def kinship(
        self, places: Sequence[UUID], *, digests: Sequence[str], archives: Sequence[tuple[int, int]]
    ) -> Kinship:
        """What was recorded like folders of these digests, or archives of these times and sizes, elsewhere."""
        ...

    def images(self, collection_ids: Sequence[UUID]) -> dict[UUID, Images]: ...

    def opened(self, collection_ids: Sequence[UUID]) -> dict[UUID, Opened]: ...

    def remember(self, opened: dict[UUID, Opened]) -> None: ...


Candidate = Folder | ArchiveFile


class Look(Struct):
    """A folder that was looked at, beside its row; `same`: it is what the row says."""

    folder: Folder
    row: FolderRow | None
    digest: bytes
    same: bool

    def candidates(self) -> Iterator[Candidate]:
        # One whose images are all left out may have been recorded under other settings.
        if self.folder.images or self.folder.left_out_images:
            yield self.folder
        yield from self.folder.archives


class Passed(Struct, frozen=True):
    """All that is to be said of this folder, and of those before it, was said."""

    path: bytes


class Batch:
    """Some folders as they are on disk, beside what was recorded of their collections."""

    def __init__(
        self,
        task: Task,
        recall: Recall,
        tally: Tally,
        remembered: Remembered,
        looks: Sequence[Look],
        stopping: Callable[[], bool],
    ) -> None:
        self._task = task
        self._recall = recall
        self._tally = tally
        self._remembered = remembered
        self._stopping = stopping
        self._looks = [(look, [] if look.same else self._identified(look)) for look in looks]
        self._candidates = [each for _, several in self._looks for each in several]
        self._known: dict[UUID, Known] = {}
        self._kinship = Kinship()
        self._opened: dict[UUID, Opened] = {}
        self._extensions = b" ".join(task.scope.images).decode()
        self._newly_opened: dict[UUID, Opened] = {}
        self._recorded: dict[UUID, Images] = {}

    @property
    def asks(self) -> bool:
        """Whether there is anything to look up."""
        return bool(self._candidates)

    def look_up(self) -> None:
        """What was recorded. Before `items`, on any thread; batches before this one may not have been compared yet."""
        candidates = self._candidates
        self._known = self._recall.known([collection for collection, _ in candidates])
        self._kinship = self._akin([each for each in candidates if each[0] not in self._known])
        if archives := [collection for collection, candidate in candidates if isinstance(candidate, ArchiveFile)]:
            self._opened = self._recall.opened(archives)
        if changed := list(self._changed(candidates)):
            self._recorded = self._recall.images(changed)

    def items(self) -> Iterator[Change | FolderRow | Passed]:
        for look, candidates in self._looks:
            if look.same:
                assert look.row
                self._tally.saw_same(look.row)
                row: FolderRow | None = look.row.at(look.folder.stamp)
            else:
                row = yield from self._compare(look, candidates)
            if row is None and look.row:
                self._remembered.distrust(look.row)
            elif row and row != look.row:
                yield row
            yield Passed(look.folder.path)
        if self._newly_opened:
            self._recall.remember(self._newly_opened)

    def _identified(self, look: Look) -> list[tuple[UUID, Candidate]]:
        return [(_id_of(self._task.library_id, candidate), candidate) for candidate in look.candidates()]

    def _akin(self, unknown: Sequence[tuple[UUID, Candidate]]) -> Kinship:
        if not unknown:
            return Kinship()
        folders = [each.images.digest() for _, each in unknown if isinstance(each, Folder) and each.images]
        archives = [(each.mtime_ns, each.size_bytes) for _, each in unknown if isinstance(each, ArchiveFile)]
        return self._recall.kinship([place for place, _ in unknown], digests=folders, archives=archives)

    def _at(self, place: UUID) -> Known | None:
        """What is recorded there, and has not been found elsewhere meanwhile."""
        return None if place.bytes in self._tally.left else self._known.get(place)

    def _id(self, place: UUID) -> UUID:
        known = self._at(place)
        if known:
            return known.own_id or place
        return self._kinship.id_at(place, left=place.bytes in self._tally.left)

    def _changed(self, candidates: Iterable[tuple[UUID, Candidate]]) -> Iterator[UUID]:
        """Known folders that look changed: what is recorded of them is asked for at once, unless it is a lot."""
        room = IMAGES_AT_ONCE
        for collection, candidate in candidates:
            known = self._at(collection)
            if known is None or isinstance(candidate, ArchiveFile) or candidate.images.digest() == known.digest:
                continue
            if known.image_count <= room:
                room -= known.image_count
                yield known.own_id or collection

    def _compare(
        self, look: Look, candidates: list[tuple[UUID, Candidate]]
    ) -> Generator[Change, None, FolderRow | None]:
        """Yields what changed in the folder; returns its row, unless anything speaks against it."""
        tally, before, collections = self._tally, self._tally.mark(), list[bytes]()
        for collection, candidate in candidates:
            if self._stopping():
                raise Stopped
            seen = tally.collections
            if change := self._change(collection, candidate):
                yield change
            if tally.collections > seen:
                collections.append(collection.bytes)
        after = tally.mark()
        if self._task.deep:
            self._read_headers(look.folder)
        if look.folder.troubled or after.odd != before.odd:
            return None
        return row_of(
            look.folder,
            look.digest,
            collections,
            images=after.images - before.images,
            size_bytes=after.size_bytes - before.size_bytes,
        )

    def _read_headers(self, folder: Folder) -> None:
        """A broken image is in the report, and stays what it is: the next scan says so again if it is deep."""
        for count, name in enumerate(folder.images.names):
            if count % STOP_EVERY_IMAGES == 0 and self._stopping():
                raise Stopped
            path = below(folder.path, name)
            try:
                flaw = headers.flaw(self._task.root, path, self._task.bounds)
            except OSError as error:
                self._tally.saw_trouble(trouble_of(error, path))
                continue
            if flaw:
                self._tally.saw_trouble(Trouble("broken_image", path, flaw))

    def _change(self, collection: UUID, candidate: Candidate) -> Change | None:
        if isinstance(candidate, Folder):
            return self._folder(collection, candidate)
        if self._is_as_opened(collection, candidate):
            self._pass_over(collection)
            return None
        return self._archive(collection, candidate)

    def _folder(self, collection: UUID, folder: Folder) -> Change | None:
        seen = Seen(collection_id=self._id(collection), kind=FOLDER, path=folder.path, images=folder.images)
        return self._compared(
            collection,
            seen,
            leaves_out=lambda name: self._task.scope.leaves_out_image(below(folder.path, name)),
            unreadable=lambda name: self._tally.could_not_read(below(folder.path, name)),
        )

    def _is_as_opened(self, collection: UUID, archive: ArchiveFile) -> bool:
        before, known = self._opened.get(collection), self._at(collection)
        if before is None or self._task.deep or before.extensions != self._extensions:
            return False
        now = (archive.size_bytes, archive.mtime_ns)
        if now != (before.size_bytes, before.mtime_ns):
            return False
        # What it held is remembered before it is recorded.
        recorded = known is not None and known.digest != "" and now == (known.size_bytes, known.mtime_ns)
        if known is not None and known.image_count > before.image_count:
            return False  # which of its images are gone, and which are left out, is not remembered
        return recorded or not before.image_count

    def _pass_over(self, collection: UUID) -> None:
        before, known = self._opened[collection], self._at(collection)
        if known and before.image_count:
            self._tally.saw(collection)
            self._tally.saw_collection(images=before.image_count, size_bytes=before.size_bytes)
            self._tally.unchanged += 1
            self._tally.saw_again(known.own_id or collection, known, changed=False)

    def _archive(self, collection: UUID, archive: ArchiveFile) -> Change | None:
        found = self._open(archive)
        if found is None:
            return None
        scope = self._task.scope
        images = found.pick([at for at, name in enumerate(found.names) if not scope.leaves_out_member(name)])
        self._newly_opened[collection] = Opened(
            size_bytes=archive.size_bytes,
            mtime_ns=archive.mtime_ns,
            extensions=self._extensions,
            image_count=len(images),
            left_out=len(found) - len(images),
        )
        if not found:
            return None
        seen = Seen(
            collection_id=self._id(collection),
            kind=ARCHIVE,
            path=archive.path,
            images=images,
            size_bytes=archive.size_bytes,
            mtime_ns=archive.mtime_ns,
        )
        return self._compared(collection, seen, leaves_out=scope.leaves_out_member)

    def _open(self, archive: ArchiveFile) -> Images | None:
        try:
            return images_in(self._task.root, archive.path, self._task.bounds, self._stopping)
        except BrokenArchive as broken:
            self._tally.saw_trouble(Trouble("broken_archive", archive.path, broken.detail))
        except OSError as error:
            self._tally.saw_trouble(trouble_of(error, archive.path))
        return None

    def _images(self, collection: UUID) -> Images:
        recorded = self._recorded.pop(collection, None)
        return self._recall.images([collection])[collection] if recorded is None else recorded

    def _compared(self, place: UUID, seen: Seen, **judging: Callable[[bytes], bool]) -> Change | None:
        known = self._at(place)
        if not seen.images:
            if known:
                self._nothing_but_left_out(place, seen, known, **judging)
            return None
        self._tally.saw(place)
        if known is None and (was := origin(seen, self._kinship.kin, is_gone=lambda kin: self._is_gone(kin, seen))):
            return self._moved(seen, was)
        if known and is_as_recorded(seen, known):
            self._tally.compared(seen, known, Unchanged())
            return None
        recorded = self._images(seen.collection_id) if known else None
        difference = compare(seen, known, recorded, **judging)
        self._tally.compared(seen, known, difference)
        return difference.change if isinstance(difference, Changed) else None

    def _nothing_but_left_out(self, place: UUID, seen: Seen, known: Known, **judging: Callable[[bytes], bool]) -> None:
        """There are images, all of which the settings leave out. If none of those was recorded, the collection is not
        there."""
        difference = compare(seen, known, self._images(seen.collection_id), **judging)
        if difference.excluded_images:
            self._tally.saw(place)
            self._tally.saw_excluded(known, difference)

    def _is_gone(self, kin: Kin, seen: Seen) -> bool:
        if kin.collection_id in self._tally.moved:
            return False
        place = collection_id(self._task.library_id, kin.kind, kin.path)
        if kin.library_id is None and place.bytes in self._tally.seen:
            return False
        return is_gone(self._task.root, kin, to=seen.path, image=seen.images.names[0])

    def _moved(self, seen: Seen, was: Kin) -> Change:
        if was.library_id is not None:
            self._tally.saw_arrival(was.collection_id, seen)
            return arrived(seen, was.library_id, was.collection_id, was.path)
        left = collection_id(self._task.library_id, was.kind, was.path)
        self._tally.saw_moved(was.collection_id, seen, was.known, left=left)
        return moved(replace(seen, collection_id=was.collection_id), was.known, was.path)


def _id_of(library_id: UUID, candidate: Candidate) -> UUID:
    return collection_id(library_id, FOLDER if isinstance(candidate, Folder) else ARCHIVE, candidate.path)
