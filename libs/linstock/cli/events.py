"""`linstock events …`: what happened. Light to import: `linstock --help` reads this module."""

from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli.named import LIBRARY
from linstock.cli.options import examples, limited, with_api, with_screen
from linstock.eventlog.commands import republish, verify

if TYPE_CHECKING:
    from linstock.cli.api import Api
    from linstock.cli.screen import Screen


@click.group(epilog=examples("linstock events tail -f", "linstock events verify"))
def events() -> None:
    """See what happened; check the stream that everyone follows, or make it again."""


events.add_command(verify)
events.add_command(republish)


@events.command(
    epilog=examples(
        "linstock events tail -f",
        "linstock events tail --type linstock.scan.completed.v1 --library Holidays -o jsonl",
    )
)
@click.option("-f", "--follow", is_flag=True, help="Go on as they happen; Ctrl-C ends.")
@click.option("--type", "kind", metavar="TYPE", help="Only of this type, e.g. linstock.scan.completed.v1.")
@click.option("--library", type=LIBRARY, help="Only of this one: id, beginning of it, or name.")
@limited(20)
@with_screen
@with_api
def tail(api: "Api", screen: "Screen", follow: bool, kind: str | None, library: str | None, limit: int) -> None:
    """Show the newest events, the newest last."""
    from linstock.cli import feed

    if follow and screen.form == "json":
        raise click.UsageError("An array never ends while following: use -o jsonl.")
    library_id = LIBRARY.find(api, library)["id"] if library else None
    feed.tail(api, screen, limit=limit, follow=follow, wanted={"type": kind, "libraryId": library_id})


@events.command(epilog=examples("linstock events show 0c5f4f3e-8f0e-5d3b-9d1c-0f3c5a1d2b7e"))
@click.argument("event_id", metavar="ID", type=click.UUID)
@with_screen
@with_api
def show(api: "Api", screen: "Screen", event_id: object) -> None:
    """Show one event, with everything it says."""
    from linstock.cli import feed

    feed.show(screen, api.get(f"/events/{event_id}"))
