"""What a scan's verdict says of what it saw. Pure."""

from uuid import UUID

from msgspec import Struct

from linstock.messages.scan import Counts, ReportItem
from services.scanner.checkpoint import SoFar
from services.scanner.report import note
from services.scanner.tally import Tally

NOTHING = SoFar()


class Unseen(Struct, frozen=True, kw_only=True):
    """Of the collections that are recorded and not missing: `present` are those where the scan's settings let it look,
    what it just added included; `absent` of them are not there, and of `unknown` nobody can tell. `left_out` are where
    the settings do not let it look. `elsewhere` of the unknown are where it was not to look. Ids ascend."""

    present: int
    left_out: int
    absent: list[UUID]
    unknown: list[UUID]
    elsewhere: int = 0


def counts(tally: Tally, unseen: Unseen, *, missing: int, earlier: SoFar = NOTHING) -> Counts:
    """`missing` collections and images were marked so. What earlier attempts of the scan recorded, this one saw
    unchanged: it is the scan's all the same."""
    return Counts(
        collections=tally.collections,
        images=tally.images,
        size_bytes=tally.size_bytes,
        folders=tally.folders,
        files=tally.files,
        added=tally.added + earlier.added,
        changed=max(0, tally.changed + earlier.changed),
        unchanged=max(0, tally.unchanged - earlier.finished - earlier.moved),
        absent=len(unseen.absent) + len(unseen.unknown) - unseen.elsewhere + tally.absent_images + earlier.missing,
        errors=tally.troubles.count,
        excluded=_excluded_collections(tally, unseen) + tally.excluded_images,
        missing=missing + earlier.missing,
        restored=len(tally.restored) + tally.recorded_again + earlier.restored,
        moved=len(tally.moved) + earlier.moved,
        verified=tally.verified,
        rotten=tally.rotten,
        moved_images=tally.moved_images + earlier.moved_images,
    )


def report(tally: Tally, unseen: Unseen) -> tuple[ReportItem, ...]:
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
    if excluded := _excluded_collections(tally, unseen):
        what = _many(excluded, "collection")
        notes.append(
            note(
                "excluded", f"{what} recorded earlier and left out by the library's settings now; nothing was removed."
            )
        )
    return tally.troubles.items(notes)


def _excluded_collections(tally: Tally, unseen: Unseen) -> int:
    return unseen.left_out + tally.excluded_collections


def _many(count: int, one: str, many: str = "") -> str:
    return f"1 {one} was" if count == 1 else f"{count} {many or one + 's'} were"
