"""The commands `up`, `down`, `logs` and `status`. Light to import: `linstock --help` reads this module."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click

from linstock.settings import DEFAULT_DATA_DIR, DEFAULT_PORT, DEFAULT_RETENTION_DAYS, MOST_DAYS
from services.up.launch import Launch

Command = Callable[..., None]

_OPTIONS = (
    click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]…"),
    click.option("--data-dir", type=click.Path(path_type=Path), default=DEFAULT_DATA_DIR, show_default=True,
                 envvar="LINSTOCK_DATA_DIR", help="Where everything is kept; on a local disk."),
    click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True,
                 envvar="LINSTOCK_PORT", help="Port of the API and dashboard; 0 takes any free one."),
    click.option("--host", default="127.0.0.1", show_default=True, envvar="LINSTOCK_HOST",
                 help="Address to listen on; others than loopback need a token: linstock token create."),
    click.option("--require-token", is_flag=True, envvar="LINSTOCK_REQUIRE_TOKEN",
                 help="On loopback too; wanted behind a proxy, which makes everybody a caller on loopback."),
    click.option("--allow-root", "allow_roots", multiple=True, metavar="DIR", type=click.Path(path_type=Path),
                 envvar="LINSTOCK_ALLOW_ROOTS", help="Libraries may be in this folder only; may be given again."),
    click.option("--retention-days", type=click.IntRange(1, MOST_DAYS), default=DEFAULT_RETENTION_DAYS,
                 show_default=True, envvar="LINSTOCK_RETENTION_DAYS",
                 help="How long lists keep details of what has ended; counts and the log stay."),
    click.option("--log-format", type=click.Choice(["console", "json"]), default="console", show_default=True,
                 envvar="LINSTOCK_LOG_FORMAT"),
)  # fmt: skip


def _where(command: Command) -> Command:
    """The options of `up` on a command that needs the data directory only, so that one ARGS fits them all."""

    @functools.wraps(command)
    def with_data_dir(data_dir: Path, **given: Any) -> None:
        for other in ("paths", "port", "host", "log_format", "require_token", "allow_roots", "retention_days"):
            given.pop(other)
        command(data_dir=data_dir, **given)

    return _options(with_data_dir)


def _options(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(epilog="Examples:  linstock up ~/Pictures  ·  linstock up --data-dir /srv/linstock --port 9000 --detach")
@_options
@click.option("--detach", is_flag=True, help="Run in the background: print the URL when ready, then return.")
def up(data_dir: Path, detach: bool, **asked: Any) -> None:
    """Start everything: NATS, PostgreSQL and all services.

    Each PATH becomes a library, scanned at once. Ctrl-C stops in order and loses nothing.
    """
    from services.up import start

    start.up(Launch(**asked), data_dir=data_dir, detach=detach)


@click.command(epilog="Example:  linstock down --data-dir /srv/linstock")
@_where
def down(data_dir: Path) -> None:
    """Stop what runs on a data directory, and wait until it has."""
    from services.up import running

    running.down(data_dir)


@click.command(epilog="Example:  linstock logs --follow --lines 100")
@_where
@click.option("-f", "--follow", is_flag=True, help="Go on as lines arrive; Ctrl-C ends.")
@click.option("-n", "--lines", type=click.IntRange(0, 100_000), default=50, show_default=True)
def logs(data_dir: Path, follow: bool, lines: int) -> None:
    """Show the log of a data directory's services."""
    from services.up import logfile

    logfile.show(data_dir, lines=lines, follow=follow)


@click.command(epilog="Example:  linstock status -o json")
@_where
@click.option("-o", "--output", type=click.Choice(["table", "json", "jsonl"]), default="table", show_default=True)
def status(data_dir: Path, output: str) -> None:
    """Say what runs on a data directory. Exit code 0: all ready; 1: not all ready; 3: nothing runs."""
    from services.up import running

    running.status(data_dir, as_json=output != "table")
