"""What `linstock lib purge` does and shows."""

from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli import words
from linstock.cli.exits import Ended
from linstock.cli.libraries import somebody_is_there
from linstock.cli.screen import Screen, note

if TYPE_CHECKING:
    from linstock.cli.api import Api, Json


def purge(api: "Api", screen: Screen, library: "Json", older_than: int, *, dry_run: bool, asked: bool) -> None:
    """Raises Ended when it is not wanted after all, click.UsageError when it has to ask and nobody is there."""
    if dry_run:
        _show(screen, _sent(api, library, older_than, dry_run=True))
        return
    if asked:
        if not somebody_is_there():
            raise click.UsageError("Nobody is there to be asked: add --yes to forget it, or --dry-run to see how much.")
        would = _sent(api, library, older_than, dry_run=True)
        if not (would["collections"] or would["images"]):
            _show(screen, {**would, "dryRun": False})
            return
        note(f"{_amount(would)} of {library['name']} will be forgotten. Nothing on disk is touched.")
        if not click.confirm("Forget it for good?", err=True):
            raise Ended("Nothing was forgotten.")
    _show(screen, _sent(api, library, older_than, dry_run=False))


def _sent(api: "Api", library: "Json", older_than: int, *, dry_run: bool) -> "Json":
    wanted = {"olderThanDays": older_than, "dryRun": dry_run}
    done = api.command("POST", f"/libraries/{library['id']}/missing/purge", wanted).body
    # Done later than the API waits, it says the same as its owner answered.
    return done if "collections" in done else {"libraryId": library["id"], "dryRun": dry_run, **done["purged"]}


def _show(screen: Screen, purged: "Json") -> None:
    verb = "would be forgotten" if purged["dryRun"] else "forgotten"
    since = words.moment(purged["missingBefore"])
    screen.one(purged, [(verb, _amount(purged)), ("missing since before", since)])


def _amount(purged: "Json") -> str:
    images = words.counted(purged["images"], "image")
    return f"{words.counted(purged['collections'], 'collection')} and {images} in others"
