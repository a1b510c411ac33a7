"""Options that name many schedules. Light to import: `linstock --help` reads this module."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import rich_click as click

from linstock.cli.named import LIBRARY

if TYPE_CHECKING:
    from linstock.cli.api import Api, Json
    from linstock.cli.options import Command
    from linstock.cli.screen import Screen

SAY_WHICH = "Say which: SCHEDULE, or --all, --library or --matching."

_OPTIONS = (
    click.option("--all", "everything", is_flag=True, help="All schedules there are."),
    click.option("--library", type=LIBRARY, help="All of this library: id, beginning of it, or name."),
    click.option("--matching", metavar="TEXT", help="All with this in their name, description or library's name."),
    click.option("--dry-run", is_flag=True, help="Only show how many, and the first of them."),
    click.option("-y", "--yes", is_flag=True, help="Do not ask before many are changed."),
)


def many(command: "Command") -> "Command":
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def are_meant(name: str | None, given: dict[str, Any]) -> bool:
    """Many of them, or the one that is named. Raises click.UsageError."""
    by_filter = bool(given["everything"] or given["library"] or given["matching"])
    if (name is not None) == by_filter or (given["everything"] and (given["library"] or given["matching"])):
        raise click.UsageError(SAY_WHICH)
    if name is not None and given["dry_run"]:
        raise click.UsageError("--dry-run is for many.")
    return by_filter


def tell(api: "Api", screen: "Screen", what: str, body: "Json", given: dict[str, Any]) -> None:
    """`what` is pause or resume. Asks first, with their number."""
    from linstock.cli.exits import Ended
    from linstock.cli.libraries import somebody_is_there
    from linstock.cli.screen import note
    from linstock.cli.words import counted

    path, body = f"/scheduledjobs/{what}", body | _which(api, given)
    would = api.command("POST", path, body | {"dryRun": True}).body
    if given["dry_run"] or not would["changed"]:
        screen.one(would, _fields(would, f"would {what}"))
        return
    if not given["yes"]:
        these = counted(would["changed"], "schedule")
        if not somebody_is_there():
            raise click.UsageError(f"Nobody is there to be asked: add --yes to {what} {these}.")
        more = ", …" if would["changed"] > len(would["names"]) else ""
        note(f"{these}: {', '.join(would['names'])}{more}")
        if not click.confirm(f"{what.capitalize()} them?", err=True):
            raise Ended(f"Nothing was {what}d.")
    done = api.command("POST", path, body).body
    screen.one(done, _fields(done, f"{what}d"))


def _which(api: "Api", given: dict[str, Any]) -> "Json":
    wanted = {
        "all": True if given["everything"] else None,
        "libraryId": LIBRARY.find(api, given["library"])["id"] if given["library"] else None,
        "text": given["matching"],
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _fields(told: "Json", done: str) -> Iterator[tuple[str, object]]:
    yield "meant", f"{told['matched']:,}"
    yield done, f"{told['changed']:,}"
    more = ", …" if told["changed"] > len(told["names"]) else ""
    yield "these", ", ".join(told["names"]) + more
