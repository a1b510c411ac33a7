"""What a scan has seen so far. Written by the scan's thread, read at any time by whoever tells its progress."""

from uuid import UUID

from msgspec import Struct

from linstock.patterns import with_parents
from services.scanner.diff import Changed, Difference, Gone, Known, Seen
from services.scanner.listing import Folder, Trouble
from services.scanner.remembered import FolderRow
from services.scanner.report import Report
from services.scanner.scope import ARCHIVE, FOLDER, IMAGE_SUFFIXES

UNREADABLE_LIMIT = 10_000  # paths that are remembered; beyond, nothing is called absent


class Mark(Struct, frozen=True):
    """`odd` is all that keeps a folder from being remembered: what could not be read, recorded things not seen, and
    what is only restored when the scan ends."""

    images: int
    size_bytes: int
    odd: tuple[int, ...]


class Tally:
    def __init__(self) -> None:
        self.folders = self.files = self.root_entries = 0
        self.phase = "preparing"
        self.verified = self.verified_bytes = self.rotten = 0
        self.listed = self.listed_files = self.listed_bytes = 0  # read by this attempt: what its pace is made of
        self.symlinks = self.specials = self.left_out = 0
        self.collections = self.images = self.size_bytes = 0
        self.added = self.changed = self.unchanged = 0
        self.absent_images = self.excluded_images = 0
        self.excluded_collections = 0  # known ones that were looked at and have nothing but images that are left out
        self.troubles = Report()
        self.seen: set[bytes] = set()  # ids of the places of collections, about 100 bytes each
        self.restored: list[UUID] = []  # missing ones that are there again, as they were recorded
        self.recorded_again = 0  # missing ones that are there again, and changed
        self.moved: set[UUID] = set()
        self.left: set[bytes] = set()  # the places where those were
        self.gone: list[Gone] = []
        self.moved_images = 0
        self._unreadable: set[bytes] = set()
        self._unreadable_in: set[bytes] = set()  # folders of which what may be an image could not be read

    def saw(self, place: UUID) -> None:
        """The collection is there, whatever became of it: nobody may call it absent."""
        self.seen.add(place.bytes)

    def saw_moved(self, collection_id: UUID, seen: Seen, known: Known, *, left: UUID) -> None:
        """The collection is there, and was elsewhere before."""
        self.saw_collection(images=len(seen.images), size_bytes=_size_of(seen))
        self.moved.add(collection_id)
        self.left.add(left.bytes)
        self.saw_again(collection_id, known, changed=True)

    def saw_arrival(self, collection_id: UUID, seen: Seen) -> None:
        """The collection was in another library, under this id."""
        self.saw_collection(images=len(seen.images), size_bytes=_size_of(seen))
        self.moved.add(collection_id)

    def saw_folder(self, folder: Folder) -> None:
        self.folders += 1
        self.listed += 1
        self.listed_files += folder.files
        self.listed_bytes += folder.images.size_bytes
        if not folder.path:
            self.root_entries = folder.entries
        self.files += folder.files
        self.symlinks += folder.symlinks
        self.specials += folder.specials
        self.left_out += folder.left_out_images + folder.left_out_others

    def saw_standing(self, row: FolderRow) -> None:
        """A folder that is as it was, without a look."""
        self.folders += 1
        if not row.path:
            self.root_entries = row.entries
        self.files += row.files
        self.symlinks += row.symlinks
        self.specials += row.specials
        self.left_out += row.left_out
        self.saw_same(row)

    def saw_same(self, row: FolderRow) -> None:
        """All collections of a folder, each as recorded."""
        collections = len(row.collections) // 16
        self.seen.update(row.collection_ids())
        self.collections += collections
        self.unchanged += collections
        self.images += row.images
        self.size_bytes += row.size_bytes

    def mark(self) -> Mark:
        absent = (self.absent_images, self.excluded_images, self.excluded_collections)
        return Mark(self.images, self.size_bytes, (*absent, self.troubles.count, len(self.restored)))

    def saw_trouble(self, trouble: Trouble) -> None:
        self.troubles.add(trouble)
        if len(self._unreadable) <= UNREADABLE_LIMIT:
            self._unreadable.add(trouble.path)
            if trouble.path.lower().endswith(IMAGE_SUFFIXES):
                self._unreadable_in.add(trouble.path.rpartition(b"/")[0])

    def could_not_read(self, path: bytes) -> bool:
        """Whether `path`, or a folder above it, could not be read: then nobody knows what is there."""
        if len(self._unreadable) > UNREADABLE_LIMIT:
            return True
        return bool(self._unreadable) and not self._unreadable.isdisjoint(with_parents(path))

    def knows_nothing_of(self, kind: str, path: bytes) -> bool:
        """Whether a collection that was not seen may be there all the same."""
        return self.could_not_read(path) or (kind == FOLDER and path in self._unreadable_in)

    def saw_collection(self, *, images: int, size_bytes: int) -> None:
        self.collections += 1
        self.images += images
        self.size_bytes += size_bytes

    def saw_again(self, collection_id: UUID, known: Known | None, *, changed: bool) -> None:
        """If it was missing, it is not any more."""
        if known is None or not known.missing:
            return
        if changed:
            self.recorded_again += 1
        else:
            self.restored.append(collection_id)

    def saw_excluded(self, known: Known, difference: Difference) -> None:
        """A collection that is there, with nothing but images that the settings leave out."""
        self.excluded_collections += 1
        if known.missing:
            return
        self.absent_images += difference.absent_images
        if difference.gone:
            self.gone.append(difference.gone)

    def compared(self, seen: Seen, known: Known | None, difference: Difference) -> None:
        self.saw_collection(images=len(seen.images), size_bytes=_size_of(seen))
        self.absent_images += difference.absent_images
        self.excluded_images += difference.excluded_images
        if difference.gone:
            self.gone.append(difference.gone)
        self.saw_again(seen.collection_id, known, changed=isinstance(difference, Changed))
        if not isinstance(difference, Changed):
            self.unchanged += 1
        elif difference.change.added:
            self.added += 1
        else:
            self.changed += 1


def _size_of(seen: Seen) -> int:
    return seen.size_bytes if seen.kind == ARCHIVE else seen.images.size_bytes
