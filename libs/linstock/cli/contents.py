"""What files hold, as people read it."""

from typing import TYPE_CHECKING

from linstock.cli import words
from linstock.cli.screen import Column, Screen, more, note

if TYPE_CHECKING:
    from linstock.cli.api import Api

_DUPLICATES = (
    Column("COPIES", lambda row: words.number(row["count"]), right=True),
    Column("SIZE", lambda row: words.size(row["bytes"]), right=True),
    Column("RECLAIMABLE", lambda row: words.size(row["reclaimableBytes"]), right=True),
    Column("FILES", lambda row: ", ".join(file["path"] or "." for file in row["files"]), folds=True),
)
_ROT = (
    Column("FILE", lambda row: row["path"] or ".", folds=True),
    Column("SIZE", lambda row: words.size(row["bytes"]), right=True),
    Column("RIGHT ON", lambda row: words.moment(row["hashedAt"])),
    Column("WRONG SINCE", lambda row: words.moment(row["since"])),
)


def duplicates(api: "Api", screen: Screen, library_id: str | None, limit: int) -> None:
    rows, total = api.rows("/duplicates", limit, libraryId=library_id)
    screen.rows(
        rows, _DUPLICATES, none="No file is known to be a copy. `linstock lib scan LIBRARY --mode verify` reads them."
    )
    more(len(rows), total)


def rot(api: "Api", screen: Screen, library_id: str, limit: int, *, accept: bool) -> None:
    if accept:
        done = api.command("POST", f"/libraries/{library_id}/rot/accept").body
        accepted = int(done.get("accepted") or done.get("changed") or 0)
        note(f"{words.counted(accepted, 'file')} taken as they are." if accepted else "Nothing is rotten.")
        return
    rows, total = api.rows(f"/libraries/{library_id}/rot", limit)
    screen.rows(rows, _ROT, none="Every file that was read twice holds what it did.")
    more(len(rows), total)
