"""`linstock lib …`: folders that are catalogued. Light to import: `linstock --help` reads this module."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from linstock.cli.named import LIBRARY
from linstock.cli.options import examples, limited, wait, with_api, with_mode, with_screen
from linstock.cli.removals import removals

if TYPE_CHECKING:
    from linstock.cli.api import Api
    from linstock.cli.options import Command
    from linstock.cli.screen import Screen

_named = click.argument("library", metavar="LIBRARY", type=LIBRARY)

_AMOUNT = click.IntRange(0, 1_000_000)
_DAYS = click.IntRange(0, 36_500)

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
    click.option(
        "--max-removed-percent",
        type=click.IntRange(0, 100),
        help="Up to which share of it may go missing unasked (10).",
    ),
    click.option("--max-removed", type=_AMOUNT, help="Up to how many collections may go missing unasked (100)."),
    click.option("--min-always", type=_AMOUNT, help="So many may always, however small it is (3)."),
    click.option("--watch/--no-watch", default=None, help="Look at what changes on disk within seconds."),
    click.option(
        "--purge-missing-after",
        metavar="DAYS",
        type=_DAYS,
        help="Forget what has been missing for so many days (0: never).",
    ),
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


lib.add_command(removals)


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


@lib.command(epilog=examples("linstock lib duplicates", "linstock lib duplicates Holidays -o jsonl"))
@click.argument("library", metavar="[LIBRARY]", type=LIBRARY, required=False)
@limited(50)
@with_screen
@with_api
def duplicates(api: "Api", screen: "Screen", library: str | None, limit: int) -> None:
    """List files that hold the very same bytes, those first of which most can be reclaimed.

    Only what scans with --mode verify have read is known. Of all libraries, or of one.
    """
    from linstock.cli import contents

    contents.duplicates(api, screen, LIBRARY.find(api, library)["id"] if library else None, limit)


@lib.command(epilog=examples("linstock lib rot Holidays", "linstock lib rot Holidays --accept"))
@_named
@click.option("--accept", is_flag=True, help="What they hold now is right.")
@limited(200)
@with_screen
@with_api
def rot(api: "Api", screen: "Screen", library: str, accept: bool, limit: int) -> None:
    """List files that hold other bytes than when a verify scan read them, though nobody changed them."""
    from linstock.cli import contents

    contents.rot(api, screen, LIBRARY.find(api, library)["id"], limit, accept=accept)


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
    found = LIBRARY.find(api, library)
    libraries.change(api, screen, found, libraries.with_whole_guard(body, found))


@lib.command(
    epilog=examples(
        "linstock lib scan Holidays --wait",
        "linstock lib scan Holidays --mode quick",
        "linstock lib scan Holidays --path 2024/Rome --dry-run --wait",
    )
)
@_named
@click.option("--path", metavar="PATH", help="Only this folder and what is below it, or the folder of this file.")
@click.option("--dry-run", is_flag=True, help="Change nothing; `linstock run changes RUN` says what would change.")
@with_mode
@wait
@with_screen
@with_api
@click.pass_context
def scan(
    ctx: click.Context, /, api: "Api", screen: "Screen", library: str, path: str | None, wait: bool, **given: Any
) -> None:
    """Scan a library, or a part of it, now. Ctrl-C ends the waiting, not the scan."""
    from linstock.cli import libraries, runs, schedules

    found = LIBRARY.find(api, library)
    scope = None if path is None else libraries.scope(found, path)
    started = libraries.scan(api, found["id"], scope=scope, **given)
    if wait:
        ctx.exit(runs.wait_and_show(api, screen, started["id"]))
    schedules.started(screen, started)


@lib.command(
    epilog=examples(
        "linstock lib exclude Holidays --preview '*.tmp.jpg' --preview 'drafts/'",
        "linstock lib set Holidays --exclude '*.tmp.jpg' --exclude 'drafts/'",
    )
)
@_named
@click.option("--preview", multiple=True, required=True, metavar="PATTERN", help="A line of .gitignore; repeatable.")
@with_screen
@with_api
def exclude(api: "Api", screen: "Screen", library: str, preview: tuple[str, ...]) -> None:
    """See what exclude patterns would leave out of what is known, before `lib set --exclude` saves them."""
    from linstock.cli import exclusions

    exclusions.show(api, screen, LIBRARY.find(api, library), preview)


@lib.command(
    epilog=examples("linstock lib hint Holidays 2024/Rome/a.jpg 2024/Rome/b.jpg", "linstock lib hint Holidays 2024")
)
@_named
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@with_api
def hint(api: "Api", library: str, paths: tuple[str, ...]) -> None:
    """Say that these files or folders were made, changed or removed: one scan looks at just them, in a moment."""
    from linstock.cli import libraries

    libraries.hint(api, LIBRARY.find(api, library), paths)


@lib.command(
    epilog=examples(
        "linstock lib purge Holidays --dry-run",
        "linstock lib purge Holidays --older-than 90",
        "linstock lib set Holidays --purge-missing-after 365",
    )
)
@_named
@click.option(
    "--older-than", metavar="DAYS", type=click.IntRange(0, 36_500), default=0, help="Missing for so long (0)."
)
@click.option("--dry-run", is_flag=True, help="Only say how much would be forgotten.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_screen
@with_api
def purge(api: "Api", screen: "Screen", library: str, older_than: int, dry_run: bool, yes: bool) -> None:
    """Forget what is missing, for good: its history is no more shown, and no undo brings it back.

    What is there stays, and nothing on disk is touched. Files that turn up at these places are new.
    """
    from linstock.cli import purges

    purges.purge(api, screen, LIBRARY.find(api, library), older_than, dry_run=dry_run, asked=not yes)


@lib.command(epilog=examples("linstock lib rm Holidays", "linstock lib rm 10e73985 --yes"))
@_named
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_api
def rm(api: "Api", library: str, yes: bool) -> None:
    """Remove a library and its schedule. Nothing on disk is touched; the history of its runs stays."""
    from linstock.cli import libraries

    libraries.remove(api, LIBRARY.find(api, library), asked=not yes)
