"""What a scan has seen so far. Written by the scan's thread, read at any time by whoever tells its progress."""

from uuid import UUID

from msgspec import Struct

from services.scanner.diff import Changed, Difference, Seen
from services.scanner.listing import Folder, Trouble
from services.scanner.remembered import FolderRow
from services.scanner.report import Report
from services.scanner.scope import ARCHIVE


class Mark(Struct, frozen=True):
    """`odd` is all that keeps a folder from being remembered: what could not be read, and recorded things not seen."""

    images: int
    size_bytes: int
    odd: tuple[int, ...]


class Tally:
    def __init__(self) -> None:
        self.folders = self.files = self.root_entries = 0
        self.symlinks = self.specials = self.left_out = 0
        self.collections = self.images = self.size_bytes = 0
        self.added = self.changed = self.unchanged = 0
        self.absent_images = self.excluded_images = 0
        self.excluded_collections = 0  # known ones that were looked at and have nothing but images that are left out
        self.troubles = Report()
        self.seen: set[bytes] = set()  # ids of collections, about 100 bytes each

    def saw(self, collection_id: UUID) -> None:
        """The collection is there, whatever became of it: nobody may call it absent."""
        self.seen.add(collection_id.bytes)

    def saw_folder(self, folder: Folder) -> None:
        self.folders += 1
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
        odd = (self.absent_images, self.excluded_images, self.excluded_collections, self.troubles.count)
        return Mark(self.images, self.size_bytes, odd)

    def saw_trouble(self, trouble: Trouble) -> None:
        self.troubles.add(trouble)

    def saw_collection(self, *, images: int, size_bytes: int) -> None:
        self.collections += 1
        self.images += images
        self.size_bytes += size_bytes

    def saw_unchanged(self, *, absent_images: int, excluded_images: int) -> None:
        self.unchanged += 1
        self.absent_images += absent_images
        self.excluded_images += excluded_images

    def compared(self, seen: Seen, difference: Difference) -> None:
        size_bytes = seen.size_bytes if seen.kind == ARCHIVE else seen.images.size_bytes
        self.saw_collection(images=len(seen.images), size_bytes=size_bytes)
        self.absent_images += difference.absent_images
        self.excluded_images += difference.excluded_images
        if not isinstance(difference, Changed):
            self.unchanged += 1
        elif difference.change.added:
            self.added += 1
        else:
            self.changed += 1

    def absent_collections(self, known: int) -> int:
        """Of `known` collections recorded before this scan began, where its settings let it look."""
        return max(0, known - self.changed - self.unchanged - self.excluded_collections)
