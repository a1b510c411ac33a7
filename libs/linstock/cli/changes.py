"""What scans changed, as people read it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli import words
from linstock.cli.exits import Ended
from linstock.cli.libraries import somebody_is_there
from linstock.cli.screen import Column, Screen, more, note

if TYPE_CHECKING:
    from linstock.cli.api import Api, Json

COLUMNS = (
    Column("WHAT", lambda change: change["kind"]),
    Column("COLLECTION", lambda change: _where(change), folds=True),
    Column("KIND", lambda change: change["collectionKind"]),
    Column("IMAGES", lambda change: _step(change["imagesBefore"], change["images"], words.number), right=True),
    Column("SIZE", lambda change: _step(change["bytesBefore"], change["bytes"], words.size), right=True),
)


def _where(change: "Json") -> str:
    """`2024/Rome`, or `Rome → 2024/Rome`."""
    path = change["path"] or "."
    return f"{change['pathBefore'] or '.'} → {path}" if "pathBefore" in change else path


def show_list(api: "Api", screen: Screen, path: str, limit: int, **parameters: object) -> None:
    rows, total = api.rows(path, limit, **parameters)
    screen.rows(rows, COLUMNS, none="Nothing changed.")
    more(len(rows), total)


def undo(api: "Api", screen: Screen, scan_id: str, *, dry_run: bool, asks: bool) -> None:
    """Raises Ended when nobody wants it, click.UsageError when it has to ask and nobody is there."""
    if asks and not dry_run:
        if not somebody_is_there():
            raise click.UsageError("Nobody is there to be asked: add --yes, or --dry-run.")
        note(f"{_told(_undone(api, scan_id, dry_run=True))} Nothing on disk is touched.")
        if not click.confirm("Undo the scan?", err=True):
            raise Ended("Nothing was undone.")
    done = _undone(api, scan_id, dry_run=dry_run)
    screen.one(done, [("scan", words.short(scan_id)), ("dry run" if dry_run else "undone", _told(done))])


def _undone(api: "Api", scan_id: str, *, dry_run: bool) -> "Json":
    done = api.command("POST", f"/scans/{scan_id}/undo", {"dryRun": dry_run}).body
    if "leftAlone" in done:
        return done
    # It was done later than the API waits: the same, as its owner answered.
    return {"scanId": scan_id, "dryRun": dry_run, **done["undone"]}


def _told(undone: "Json") -> str:
    parts = [
        f"{words.counted(undone[name], 'collection')} {what}"
        for name, what in (
            ("withdrawn", "withdrawn"),
            ("changed", "put back"),
            ("restored", "present again"),
            ("missing", "missing again"),
            ("leftAlone", "left alone: a later scan touched them"),
        )
        if undone.get(name)
    ]
    return f"{', '.join(parts)}." if parts else "There is nothing to undo."


def _step(before: int, after: int, said: Callable[[int], str]) -> str:
    """`12`, or `12 → 14`."""
    return said(after) if before == after else f"{said(before)} → {said(after)}"
