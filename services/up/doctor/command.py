"""The command `linstock doctor`. Light to import: `linstock --help` reads this module."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli.options import examples, with_screen
from linstock.settings import DEFAULT_DATA_DIR, DEFAULT_PORT

if TYPE_CHECKING:
    from linstock.cli.screen import Screen


@click.command(epilog=examples("linstock doctor", "linstock doctor --data-dir /srv/linstock --port 9000 -o json"))
@click.option("--data-dir", type=click.Path(path_type=Path), default=DEFAULT_DATA_DIR, show_default=True,
              envvar="LINSTOCK_DATA_DIR", help="What `linstock up` uses, or will.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True,
              envvar="LINSTOCK_PORT", help="Looked at while nothing runs.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, envvar="LINSTOCK_HOST", help="As for `up`.")
@click.option("--token-file", type=click.Path(path_type=Path), metavar="FILE",
              help="Holds the access token; else LINSTOCK_TOKEN.")  # fmt: skip
@with_screen
@click.pass_context
def doctor(
    ctx: click.Context, /, screen: "Screen", data_dir: Path, port: int, host: str, token_file: Path | None
) -> None:
    """Look at everything that is known to go wrong, and say what to do.

    Works also while nothing runs, and changes nothing. Exit code 1 when something must be mended.
    """
    from linstock.cli import server
    from services.up.doctor import rounds

    token = server.token(token_file)
    ctx.exit(rounds.show(screen, rounds.look(data_dir, host=host, port=port, token=token)))
