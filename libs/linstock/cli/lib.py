"""`linstock lib …`: folders that are catalogued. Light to import: `linstock --help` reads this module."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from linstock.cli.named import LIBRARY
from linstock.cli.options import deep, examples, limited, wait, with_api, with_screen

if TYPE_CHECKING:
    from linstock.cli.api import Api
    from linstock.cli.options import Command
    from linstock.cli.screen import Screen

_named = click.argument("library", metavar="LIBRARY", type=LIBRARY)

_SETTINGS = (
    click.option("--name", help="What people call it. Default: the folder's name."),
    click.option("--description", help="A sentence about it."),
    click.option(
        "--auto-scan/--no-auto-scan", default=None, help="Scan it as --cron says (lib add: yes, if not told)."
    ),
    click.option("--cron", metavar="EXPR", help="When, e.g. '0 2 * * *'; `linstock cron explain` says it in words."),
    click.option("--zone", metavar="ZONE", help="The time zone of --cron, e.g. Europe/Berlin."),
    click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out, as a line of .gitignore; repeatable."),
    click.option("--ext", multiple=True, metavar=".EXT", help="Only files with this extension; repeatable."),
    click.option("--subfolders/--no-subfolders", default=None, help="Look into subfolders."),
)


def _settings(command: "Command") -> "Command":
    for option in reversed(_SETTINGS):
        command = option(command)
    return command


@click.group(epilog=examples("linstock lib add ~/Pictures --wait", "linstock lib ls"))
def lib() -> None:
    """Add, see, change, scan and remove libraries: folders that are catalogued.

    LIBRARY is an id, the beginning of one (4 characters or more), or an exact name.
    """


@lib.command(
    epilog=examples(
        "linstock lib add ~/Pictures --wait",
        "linstock lib add /srv/scans --name Scans --cron '*/10 * * * *' --zone Europe/Berlin --exclude '*.tmp'",
    )
)
@click.argument("path", type=click.Path(path_type=Path))
@_settings
@click.option("--no-scan", is_flag=True, help="Do not scan it now.")
@wait
@with_screen
@with_api
@click.pass_context
def add(
    ctx: click.Context, /, api: "Api", screen: "Screen", path: Path, no_scan: bool, wait: bool, **given: Any
) -> None:
    """Make the folder PATH a library, and scan it at once."""
    from linstock.cli import libraries

    if wait and no_scan:
        raise click.UsageError("--wait waits for the scan that --no-scan leaves out: give one of them.")
    ctx.exit(libraries.add(api, screen, path, libraries.body(**given), scan=not no_scan, wait=wait))


@lib.command(epilog=examples("linstock lib ls", "linstock lib ls --text holi -o jsonl"))
@click.option("--text", help="Only those with this in their name or path.")
@limited(200)
@with_screen
@with_api
def ls(api: "Api", screen: "Screen", text: str | None, limit: int) -> None:
    """List libraries by name."""
    from linstock.cli.libraries import COLUMNS
    from linstock.cli.screen import more

    rows, total = api.rows("/libraries", limit, text=text)
    screen.rows(rows, COLUMNS, none="No such libraries." if text else "No libraries yet: linstock lib add FOLDER")
    more(len(rows), total)


@lib.command(epilog=examples("linstock lib show Holidays"))
@_named
@with_screen
@with_api
def show(api: "Api", screen: "Screen", library: str) -> None:
    """Show one library: what is in it, when it is scanned, how that went."""
    from linstock.cli import libraries

    libraries.show(api, screen, LIBRARY.find(api, library))


@lib.command(epilog=examples("linstock lib quarantine Holidays", "linstock lib quarantine Holidays -o jsonl"))
@_named
@limited(200)
@with_screen
@with_api
def quarantine(api: "Api", screen: "Screen", library: str, limit: int) -> None:
    """List files that can't be read as images, and why, the newest first. Each is tried again when it changes."""
    from linstock.cli.libraries import QUARANTINE
    from linstock.cli.screen import more

    rows, total = api.rows(f"/libraries/{LIBRARY.find(api, library)['id']}/quarantine", limit)
    screen.rows(rows, QUARANTINE, none="Every image that was read is all right.")
    more(len(rows), total)


@lib.command(
    "set",
    epilog=examples(
        "linstock lib set Holidays --cron '0 3 * * *' --zone Europe/Berlin",
        "linstock lib set Holidays --path /mnt/new-disk/holidays",
        "linstock lib set Holidays --exclude '*.tmp' --exclude cache/",
    ),
)
@_named
@click.option("--path", type=click.Path(path_type=Path), help="Where it is now: what is known of it stays known.")
@_settings
@click.option("--clear-excludes", is_flag=True, help="Leave nothing out.")
@with_screen
@with_api
def change(api: "Api", screen: "Screen", library: str, path: Path | None, clear_excludes: bool, **given: Any) -> None:
    """Change what is given; the rest stays. --exclude and --ext replace the whole list."""
    from linstock.cli import libraries

    if clear_excludes and given["exclude"]:
        raise click.UsageError("--exclude and --clear-excludes contradict each other: give one of them.")
    body = libraries.body(**given) | ({"excludePatterns": []} if clear_excludes else {})
    if path is not None:
        body["path"] = libraries.absolute(api, path)
    if not body:
        raise click.UsageError("Say what to change, such as --name or --cron.")
    libraries.change(api, screen, LIBRARY.find(api, library), body)


@lib.command(epilog=examples("linstock lib scan Holidays --wait", "linstock lib scan Holidays --deep"))
@_named
@deep
@wait
@with_screen
@with_api
@click.pass_context
def scan(ctx: click.Context, /, api: "Api", screen: "Screen", library: str, deep: bool, wait: bool) -> None:
    """Scan a library now. Ctrl-C ends the waiting, not the scan."""
    from linstock.cli import libraries, runs, schedules

    started = libraries.scan(api, LIBRARY.find(api, library)["id"], deep=deep)
    if wait:
        ctx.exit(runs.wait_and_show(api, screen, started["id"]))
    schedules.started(screen, started)


@lib.command(epilog=examples("linstock lib rm Holidays", "linstock lib rm 10e73985 --yes"))
@_named
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_api
def rm(api: "Api", library: str, yes: bool) -> None:
    """Remove a library and its schedule. Nothing on disk is touched; the history of its runs stays."""
    from linstock.cli import libraries

    libraries.remove(api, LIBRARY.find(api, library), asked=not yes)
