"""`linstock run …`: what ran, runs and will run again. Light to import: `linstock --help` reads this module."""

from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli.named import APART, LIBRARY, RUN
from linstock.cli.options import examples, limited, wait, with_api, with_screen
from linstock.statuses import OF_RUNS

if TYPE_CHECKING:
    from linstock.cli.api import Api
    from linstock.cli.screen import Screen

KINDS = ("added", "changed", "missing", "moved", "restored", "withdrawn")

_reason = click.option("--reason", help="Kept with the run.")
_kind = click.option("--kind", type=click.Choice(KINDS), help="Only these.")

TYPES = ("LibraryScan", *APART)


@click.group(epilog=examples("linstock run ls --status Failed"))
def run() -> None:
    """See every run of every schedule; pause, resume and cancel those that are open."""


@run.command(epilog=examples("linstock run ls --status Failed --library Holidays", "linstock run ls -n 500 -o jsonl"))
@click.option("--status", type=click.Choice(OF_RUNS, case_sensitive=False), help="Only these.")
@click.option("--library", type=LIBRARY, help="Only of this one: id, beginning of it, or name.")
@click.option("--type", "job_type", type=click.Choice(TYPES, case_sensitive=False), help="Scans, if not told.")
@limited(20)
@with_screen
@with_api
def ls(api: "Api", screen: "Screen", status: str | None, library: str | None, job_type: str | None, limit: int) -> None:
    """List runs, the newest first. Jobs that come by themselves only by their --type."""
    from linstock.cli.runs import COLUMNS
    from linstock.cli.screen import more

    library_id = LIBRARY.find(api, library)["id"] if library else None
    rows, total = api.rows("/runs", limit, status=status, libraryId=library_id, jobType=job_type)
    screen.rows(rows, COLUMNS, none="No such runs." if status or library else "Nothing has run yet.")
    more(len(rows), total)


@run.command(epilog=examples("linstock run show 31e31418", "linstock run show 31e31418 --wait"))
@click.argument("run_id", metavar="RUN", type=RUN)
@wait
@with_screen
@with_api
@click.pass_context
def show(ctx: click.Context, api: "Api", screen: "Screen", run_id: str, wait: bool) -> None:
    """Show one run: what it saw, what could not be read, and why.

    RUN is an id, or the beginning of one of the newest 1,000.
    """
    from linstock.cli import runs

    found = RUN.find(api, run_id)
    scan = found.get("jobType") == runs.SCAN
    if wait:
        ctx.exit(runs.wait_and_show(api, screen, found["id"], scan=scan))
    runs.show(screen, (api.find(f"/scans/{found['id']}") if scan else None) or found)


@run.command(epilog=examples("linstock run changes 31e31418", "linstock run changes 31e31418 --kind added -o jsonl"))
@click.argument("run_id", metavar="RUN", type=RUN)
@_kind
@limited(200)
@with_screen
@with_api
def changes(api: "Api", screen: "Screen", run_id: str, kind: str | None, limit: int) -> None:
    """List what a scan changed; after a dry run, what it would have changed."""
    from linstock.cli.changes import show_list

    show_list(api, screen, f"/scans/{RUN.find(api, run_id)['id']}/changes", limit, kind=kind)


@run.command(epilog=examples("linstock run diff 0a1b2c3d 31e31418"))
@click.argument("earlier", metavar="RUN", type=RUN)
@click.argument("later", metavar="RUN", type=RUN)
@_kind
@limited(200)
@with_screen
@with_api
def diff(api: "Api", screen: "Screen", earlier: str, later: str, kind: str | None, limit: int) -> None:
    """List what changed in a library between two of its scans: what all scans after the first came to."""
    from linstock.cli.changes import show_list

    against = RUN.find(api, earlier)["id"]
    show_list(api, screen, f"/scans/{RUN.find(api, later)['id']}/diff", limit, kind=kind, against=against)


@run.command(epilog=examples("linstock run watch 31e31418"))
@click.argument("run_id", metavar="RUN", type=RUN)
@with_screen
@with_api
@click.pass_context
def watch(ctx: click.Context, api: "Api", screen: "Screen", run_id: str) -> None:
    """Look on until a run has ended: how far it is, how fast, and how long it will take if that can be told."""
    from linstock.cli import runs

    found = RUN.find(api, run_id)
    ctx.exit(runs.wait_and_show(api, screen, found["id"], scan=found.get("jobType") == runs.SCAN))


@run.command(epilog=examples("linstock run pause 31e31418 --reason 'film night'"))
@click.argument("run_id", metavar="RUN", type=RUN)
@_reason
@with_screen
@with_api
def pause(api: "Api", screen: "Screen", run_id: str, reason: str | None) -> None:
    """Let a scan rest. It keeps what it has done; no other scan of its library starts meanwhile."""
    from linstock.cli import runs

    runs.tell(api, screen, RUN.find(api, run_id)["id"], "pause", reason)


@run.command(epilog=examples("linstock run resume 31e31418"))
@click.argument("run_id", metavar="RUN", type=RUN)
@_reason
@with_screen
@with_api
def resume(api: "Api", screen: "Screen", run_id: str, reason: str | None) -> None:
    """Let a paused scan go on where it was."""
    from linstock.cli import runs

    runs.tell(api, screen, RUN.find(api, run_id)["id"], "resume", reason)


@run.command(epilog=examples("linstock run undo 31e31418 --dry-run", "linstock run undo 31e31418"))
@click.argument("run_id", metavar="RUN", type=RUN)
@click.option("--dry-run", is_flag=True, help="Only say what that would do.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_screen
@with_api
def undo(api: "Api", screen: "Screen", run_id: str, dry_run: bool, yes: bool) -> None:
    """Make everything that a scan touched, and no later one, as it was before it.

    Nothing on disk is touched. The next scan sees what is there, and records it again.
    """
    from linstock.cli import changes

    changes.undo(api, screen, RUN.find(api, run_id)["id"], dry_run=dry_run, asks=not yes)


@run.command(epilog=examples("linstock run cancel 31e31418 --reason 'wrong disk'"))
@click.argument("run_id", metavar="RUN", type=RUN)
@_reason
@with_screen
@with_api
def cancel(api: "Api", screen: "Screen", run_id: str, reason: str | None) -> None:
    """Cancel a run that is open. What it has recorded already stays."""
    from linstock.cli import runs

    runs.tell(api, screen, RUN.find(api, run_id)["id"], "cancel", reason)
