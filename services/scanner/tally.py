"""What a scan has seen so far. Written by the scan's thread, read at any time by whoever tells its progress."""

from linstock.messages.scan import Counts, ReportItem
from services.scanner.diff import Changed, Difference, Seen
from services.scanner.images import displayed
from services.scanner.walk import Folder, Trouble

REPORT_LIMIT = 200


class Tally:
    def __init__(self) -> None:
        self.folders = self.files = self.symlinks = self.root_entries = 0
        self.collections = self.images = self.size_bytes = 0
        self.added = self.changed = self.unchanged = self.absent_images = 0
        self.errors = 0
        self._report: list[ReportItem] = []

    def saw_folder(self, folder: Folder) -> None:
        self.folders += 1
        if not folder.path:
            self.root_entries = folder.entries
        self.files += folder.files
        self.symlinks += folder.symlinks

    def saw_trouble(self, trouble: Trouble) -> None:
        self.errors += 1
        if len(self._report) < REPORT_LIMIT:
            path, path_bytes = displayed(trouble.path)
            item = ReportItem(code=trouble.code, path=path, path_bytes=path_bytes, message=trouble.message)
            self._report.append(item)

    def saw_collection(self, *, images: int, size_bytes: int) -> None:
        self.collections += 1
        self.images += images
        self.size_bytes += size_bytes

    def compared(self, seen: Seen, difference: Difference) -> None:
        archive = seen.kind == "archive"
        self.saw_collection(images=len(seen.images), size_bytes=seen.size_bytes if archive else seen.images.size_bytes)
        self.absent_images += difference.absent_images
        if not isinstance(difference, Changed):
            self.unchanged += 1
        elif difference.change.added:
            self.added += 1
        else:
            self.changed += 1

    def counts(self, *, known_before: int) -> Counts:
        """`known_before` collections were recorded, where this scan looked, before it began."""
        absent_collections = max(0, known_before - self.changed - self.unchanged)
        return Counts(
            collections=self.collections,
            images=self.images,
            size_bytes=self.size_bytes,
            folders=self.folders,
            files=self.files,
            added=self.added,
            changed=self.changed,
            unchanged=self.unchanged,
            absent=absent_collections + self.absent_images,
            errors=self.errors,
        )

    def report(self) -> tuple[ReportItem, ...]:
        """The first 200 items; symbolic links are one of them, however many there are."""
        if not self.symlinks:
            return tuple(self._report)
        links = "1 symbolic link was" if self.symlinks == 1 else f"{self.symlinks} symbolic links were"
        skipped = ReportItem(code="symlinks_skipped", path="", message=f"{links} not followed.")
        return (skipped, *self._report[: REPORT_LIMIT - 1])
