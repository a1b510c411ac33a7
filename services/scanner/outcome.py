"""What a scan's verdict says of what it saw. Pure."""

from msgspec import Struct

from linstock.messages.scan import Counts, ReportItem
from services.scanner.report import note
from services.scanner.tally import Tally

EMPTY_ROOT = "empty_root"
NO_COLLECTIONS = "no_collections"


class Expected(Struct, frozen=True, kw_only=True):
    """Collections recorded before the scan began: where its settings let it look, and where they do not."""

    within: int
    left_out: int


class Removals(Struct, frozen=True):
    count: int
    reason: str


def counts(tally: Tally, expected: Expected) -> Counts:
    return Counts(
        collections=tally.collections,
        images=tally.images,
        size_bytes=tally.size_bytes,
        folders=tally.folders,
        files=tally.files,
        added=tally.added,
        changed=tally.changed,
        unchanged=tally.unchanged,
        absent=tally.absent_collections(expected.within) + tally.absent_images,
        errors=tally.troubles.count,
        excluded=_excluded_collections(tally, expected) + tally.excluded_images,
    )


def report(tally: Tally, expected: Expected) -> tuple[ReportItem, ...]:
    """Notes on what was passed over, then the first troubles: 200 items at most."""
    notes: list[ReportItem] = []
    if links := tally.symlinks:
        notes.append(note("symlinks_skipped", f"{_many(links, 'symbolic link')} not followed."))
    if specials := tally.specials:
        notes.append(
            note(
                "specials_skipped",
                f"{_many(specials, 'socket, pipe or device', 'sockets, pipes and devices')} passed over.",
            )
        )
    if left_out := tally.left_out:
        what = _many(left_out, "folder, archive or image", "folders, archives and images")
        notes.append(note("left_out", f"{what} left out, as the library's settings say."))
    if excluded := _excluded_collections(tally, expected):
        what = _many(excluded, "collection")
        notes.append(
            note(
                "excluded", f"{what} recorded earlier and left out by the library's settings now; nothing was removed."
            )
        )
    return tally.troubles.items(notes)


def removals(tally: Tally, expected: Expected) -> Removals | None:
    """Nothing was found where something was known: that looks like a disk being away. What the settings leave out is
    not missed."""
    absent = tally.absent_collections(expected.within)
    if tally.collections or not absent:
        return None
    return Removals(absent, NO_COLLECTIONS if tally.root_entries else EMPTY_ROOT)


def _excluded_collections(tally: Tally, expected: Expected) -> int:
    return expected.left_out + tally.excluded_collections


def _many(count: int, one: str, many: str = "") -> str:
    return f"1 {one} was" if count == 1 else f"{count} {many or one + 's'} were"
