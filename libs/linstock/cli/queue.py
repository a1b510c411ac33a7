"""`linstock queue …` and `linstock workers`. Light to import: `linstock --help` reads this module."""

from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli.options import examples, with_api, with_screen

if TYPE_CHECKING:
    from linstock.cli.api import Api
    from linstock.cli.screen import Screen


@click.group(epilog=examples("linstock queue ls"))
def queue() -> None:
    """See the queues of applications."""


@queue.command(epilog=examples("linstock queue ls"))
@with_screen
@with_api
def ls(api: "Api", screen: "Screen") -> None:
    """List queues: what waits in them, and how many workers serve them."""
    from linstock.cli.jobs import QUEUES

    screen.rows(api.get("/queues")["data"], QUEUES, none="No queue has had a job or a worker yet.")


@click.command(epilog=examples("linstock workers", "linstock workers -o json"))
@with_screen
@with_api
def workers(api: "Api", screen: "Screen") -> None:
    """List workers that were heard of within the last seconds: what they serve, and how much they have in hand."""
    from linstock.cli.jobs import WORKERS

    screen.rows(api.get("/workers")["data"], WORKERS, none="No worker was heard of lately.")
