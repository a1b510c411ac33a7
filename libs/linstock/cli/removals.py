"""`linstock lib removals …`: what scans did not find. Light to import: `linstock --help` reads this module."""

from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli.named import LIBRARY
from linstock.cli.options import examples, limited, with_api, with_screen

if TYPE_CHECKING:
    from linstock.cli.api import Api
    from linstock.cli.screen import Screen

_named = click.argument("library", metavar="LIBRARY", type=LIBRARY)
_yes = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


@click.group(epilog=examples("linstock lib removals ls Holidays", "linstock lib removals approve Holidays"))
def removals() -> None:
    """See what a scan did not find and holds back, and say whether it is gone.

    Until somebody decides, nothing is marked missing; a later scan that finds it again settles it by itself.
    """


@removals.command(epilog=examples("linstock lib removals ls Holidays", "linstock lib removals ls Holidays -o jsonl"))
@_named
@limited(200)
@with_screen
@with_api
def ls(api: "Api", screen: "Screen", library: str, limit: int) -> None:
    """List the collections that are held back, and why."""
    from linstock.cli import held
    from linstock.cli.screen import more, note

    found = LIBRARY.find(api, library)
    if found["heldRemovals"]:
        note(f"{found['heldRemovals']['message']} Held since {held.since(found)}.")
    rows, total = api.rows(f"/libraries/{found['id']}/removals", limit)
    screen.rows(rows, held.COLUMNS, none="Nothing is held back.")
    more(len(rows), total)


@removals.command(epilog=examples("linstock lib removals approve Holidays", "linstock lib removals approve 10e7 --yes"))
@_named
@_yes
@with_api
def approve(api: "Api", library: str, yes: bool) -> None:
    """They are gone: mark them missing. They come back by themselves when a scan finds them."""
    from linstock.cli import held

    held.decide(api, LIBRARY.find(api, library), "approve", asked=not yes)


@removals.command(epilog=examples("linstock lib removals reject Holidays", "linstock lib removals reject 10e7 --yes"))
@_named
@_yes
@with_api
def reject(api: "Api", library: str, yes: bool) -> None:
    """They are not gone: they stay present. No scan asks again unless more is gone."""
    from linstock.cli import held

    held.decide(api, LIBRARY.find(api, library), "reject", asked=not yes)
