"""What scans changed, as people read it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from linstock.cli import words
from linstock.cli.screen import Column, Screen, more

if TYPE_CHECKING:
    from linstock.cli.api import Api

COLUMNS = (
    Column("WHAT", lambda change: change["kind"]),
    Column("COLLECTION", lambda change: change["path"] or ".", folds=True),
    Column("KIND", lambda change: change["collectionKind"]),
    Column("IMAGES", lambda change: _step(change["imagesBefore"], change["images"], words.number), right=True),
    Column("SIZE", lambda change: _step(change["bytesBefore"], change["bytes"], words.size), right=True),
)


def show_list(api: "Api", screen: Screen, path: str, limit: int, **parameters: object) -> None:
    rows, total = api.rows(path, limit, **parameters)
    screen.rows(rows, COLUMNS, none="Nothing changed.")
    more(len(rows), total)


def _step(before: int, after: int, said: Callable[[int], str]) -> str:
    """`12`, or `12 → 14`."""
    return said(after) if before == after else f"{said(before)} → {said(after)}"
