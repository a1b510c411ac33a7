"""What `linstock lib removals` does and shows."""

from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli import words
from linstock.cli.exits import Ended
from linstock.cli.libraries import somebody_is_there
from linstock.cli.screen import Column, note

if TYPE_CHECKING:
    from linstock.cli.api import Api, Json

COLUMNS = (
    Column("ID", lambda row: words.short(row["id"])),
    Column("KIND", lambda row: row["kind"]),
    Column("IMAGES", lambda row: words.number(row["imageCount"]), right=True),
    Column("SIZE", lambda row: words.size(row["bytes"]), right=True),
    Column("PATH", lambda row: row["path"] or ".", folds=True),
)
_MEANS = {
    "approve": ("are marked missing", "Mark them missing?", "are marked missing"),
    "reject": ("stay present", "Keep them?", "stay present"),
}


def decide(api: "Api", library: "Json", decision: str, *, asked: bool) -> None:
    """Raises Ended when nothing is held, click.UsageError when it has to ask and nobody is there."""
    held = library["heldRemovals"]
    if held is None:
        raise Ended(f"Nothing of {words.printable(library['name'])} is held back.")
    what = words.counted(held["count"], "collection")
    will, question, done = _MEANS[decision]
    if asked:
        if not somebody_is_there():
            raise click.UsageError(f"Nobody is there to be asked: add --yes to {decision} {what}.")
        note(f"{held['message']} {what} of {library['name']} {will}. Nothing on disk is touched.")
        if not click.confirm(question, err=True):
            raise Ended("Nothing was decided.")
    api.command("POST", f"/libraries/{library['id']}/removals/{held['scanId']}/{decision}")
    note(f"{what} of {library['name']} {done}.")


def since(library: "Json") -> str:
    return words.moment(library["heldRemovals"]["heldAt"])
