"""`linstock maintenance …`: keeping house. Light to import: `linstock --help` reads this module."""

from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli.options import examples, wait, with_api, with_screen

if TYPE_CHECKING:
    from linstock.cli.api import Api
    from linstock.cli.screen import Screen


@click.group(epilog=examples("linstock maintenance thumbnails --dry-run"))
def maintenance() -> None:
    """Keep house: what comes by itself once a day, whenever you want it."""


@maintenance.command(
    epilog=examples(
        "linstock maintenance thumbnails --dry-run",
        "linstock maintenance thumbnails --wait",
        "linstock run ls --type CleanThumbnails",
    )
)
@click.option("--dry-run", is_flag=True, help="Only say how much would go; waits for the answer.")
@wait
@with_screen
@with_api
@click.pass_context
def thumbnails(ctx: click.Context, /, api: "Api", screen: "Screen", dry_run: bool, wait: bool) -> None:
    """Remove thumbnails that no collection has as its cover any more. One that goes wrongly is made again when it is
    looked at."""
    from linstock.cli import runs, schedules

    started = api.command("POST", "/maintenance/thumbnails/clean", {"dryRun": dry_run}).body
    if wait or dry_run:
        ctx.exit(runs.wait_and_show(api, screen, started["id"], scan=False))
    schedules.started(screen, started)
