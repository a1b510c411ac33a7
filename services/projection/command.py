"""The commands `linstock projection rebuild | verify`. Light to import: `linstock --help` reads this module."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import rich_click as click

from linstock.cli.options import examples, with_screen
from linstock.settings import DEFAULT_DATA_DIR

if TYPE_CHECKING:
    from linstock.cli.screen import Screen
    from services.projection.rebuild import Comparison
    from services.projection.scratch import Progress

_DATA_DIR = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=DEFAULT_DATA_DIR,
    show_default=True,
    envvar="LINSTOCK_DATA_DIR",
    help="Where the running Linstock keeps everything; LINSTOCK_DATABASE_URL and LINSTOCK_NATS_URL come first.",
)


@click.group(epilog=examples("linstock projection verify"))
def projection() -> None:
    """Read models: make them again from the events, or compare them with what the events say."""


@projection.command(epilog=examples("linstock projection rebuild --data-dir /srv/linstock"))
@_DATA_DIR
def rebuild(data_dir: Path) -> None:
    """Build the read models from EVENTS beside the live ones, compare, and switch to them.

    Readers see the old rows until the moment of the switch. The projection may run meanwhile.
    """
    _print(_run(data_dir, "rebuild"), "rebuilt")
    click.echo("switched to the rebuilt tables")


@projection.command(epilog=examples("linstock projection verify || linstock projection rebuild"))
@_DATA_DIR
@with_screen
def verify(screen: "Screen", data_dir: Path) -> None:
    """Print a checksum per table, of the live rows and of a rebuild; exit 1 when they differ. Changes nothing."""
    comparison = _run(data_dir, "verify")
    if screen.form == "table":
        _print(comparison, "from events")
    else:
        screen.rows(list(_rows(comparison)), (), none="")
    if comparison.live is None:
        _end("the live tables are of another epoch: linstock projection rebuild")
    if comparison.differing:
        _end(f"different: {', '.join(comparison.differing)}")


def _run(data_dir: Path, what: str) -> "Comparison":
    # What these import would make every `linstock --help` wait.
    import asyncio

    from services.projection import offline

    try:
        return asyncio.run(offline.run(data_dir, what, _report))
    except offline.FAILURES as error:
        _end(f"{type(error).__name__}: {error}")


def _report(progress: "Progress") -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{progress.applied:,} of {progress.total:,} events", nl=False, err=True)


def _print(comparison: "Comparison", made: str) -> None:
    if sys.stderr.isatty():
        click.echo(err=True)
    positions = ", ".join(f"{log}:{stands.position}" for log, stands in sorted(comparison.positions.items()))
    click.echo(f"as of {positions or 'the beginning'}")
    click.echo(f"{'table':<14}{'rows':>10}  {'live':<16}  {made:<16}")
    for table, checksum in comparison.rebuilt.items():
        live = comparison.live[table].digest if comparison.live else "another epoch"
        sign = "" if live == checksum.digest else "  different"
        click.echo(f"{table:<14}{checksum.rows:>10,}  {live:<16}  {checksum.digest:<16}{sign}")


def _rows(comparison: "Comparison") -> Iterator[dict[str, Any]]:
    for table, rebuilt in comparison.rebuilt.items():
        live = comparison.live[table] if comparison.live else None
        digest = live.digest if live else None
        yield {"table": table, "rows": rebuilt.rows, "live": digest, "rebuilt": rebuilt.digest, "same": live == rebuilt}


def _end(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(1)
