"""Options that many commands have, and how their help shows examples."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click

Command = Callable[..., None]
MOST_ROWS = 100_000
MODE = click.Choice(["quick", "changed", "deep", "verify"])
MODES_SAID = (
    "How thorough: quick looks into folders that were changed themselves, changed at the size and time of every file, "
    "deep also into every archive and at every image's header."
)


def examples(*lines: str) -> str:
    """An epilog: whole command lines, ready to be copied."""
    return "\n\n".join(("Examples:" if len(lines) > 1 else "Example:", *(f"$ {line}" for line in lines)))


def with_api(command: Command) -> Command:
    """Gives the command `api` (`linstock.cli.api.Api`), and the options that say where it is."""

    @click.option("--url", envvar="LINSTOCK_URL", metavar="URL", help="Of the server; else the data directory tells.")
    @click.option(
        "--token-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Holds the access token; else LINSTOCK_TOKEN.",
    )
    @click.option(
        "--data-dir",
        type=click.Path(path_type=Path),
        envvar="LINSTOCK_DATA_DIR",
        metavar="DIR",
        help="Of a Linstock on this machine, to find its URL. Default: .linstock",
    )
    @functools.wraps(command)
    def connected(url: str | None, token_file: Path | None, data_dir: Path | None, **given: Any) -> None:
        from linstock.cli import server
        from linstock.cli.api import Api

        with Api(server.address(url, data_dir), server.token(token_file)) as api:
            command(api=api, **given)

    return connected  # fmt: skip


def with_screen(command: Command) -> Command:
    """Gives the command `screen` (`linstock.cli.screen.Screen`), and the option -o."""

    @click.option(
        "-o",
        "--output",
        type=click.Choice(["table", "json", "jsonl"]),
        default="table",
        show_default=True,
        help="json and jsonl go to stdout alone; the rest to stderr.",
    )
    @functools.wraps(command)
    def shown(output: str, **given: Any) -> None:
        from linstock.cli.screen import Screen

        command(screen=Screen(output), **given)

    return shown  # fmt: skip


def limited(default: int) -> Callable[[Command], Command]:
    return click.option("-n", "--limit", type=click.IntRange(1, MOST_ROWS), default=default, show_default=True,
                        help="How many at most.")  # fmt: skip


wait = click.option("--wait", is_flag=True, help="Wait for its end, with progress on stderr; exit code 1 if it failed.")


def with_mode(command: Command) -> Command:
    """Gives the command `mode`, of a scan; None if it was not told."""

    @click.option("--mode", type=MODE, help=MODES_SAID)
    @click.option("--deep", is_flag=True, help="The same as --mode deep.")
    @functools.wraps(command)
    def told(mode: str | None, deep: bool, **given: Any) -> None:
        if deep and mode not in (None, "deep"):
            raise click.UsageError("--deep is --mode deep: give one of them.")
        command(mode="deep" if deep else mode, **given)

    return told  # fmt: skip
