"""The command `token`. Light to import: `linstock --help` reads this module."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import rich_click as click

from linstock.access.roles import ROLES, Role
from linstock.settings import DEFAULT_DATA_DIR

LONGEST = timedelta(days=3650)

_LIVES = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}

_data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=DEFAULT_DATA_DIR,
    show_default=True,
    envvar="LINSTOCK_DATA_DIR",
    help="Whose tokens; Linstock may run there or not. LINSTOCK_DATABASE_URL goes first.",
)


def _output(*choices: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option("-o", "--output", type=click.Choice(choices), default=choices[0], show_default=True)


class Lifetime(click.ParamType[timedelta]):
    """A number and m, h, d or w."""

    name = "90d"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        found = _LIVES.fullmatch(str(value))
        lives = int(found[1]) * _UNITS[found[2]] if found else timedelta()
        if not timedelta() < lives <= LONGEST:
            self.fail(f"{value} is no time such as 30m, 12h, 90d or 52w, of at most ten years.", param, ctx)
        return lives


@click.group(epilog="Example:  linstock token create --role admin")
def token() -> None:
    """Make, list and revoke access tokens.

    A token is sent as `Authorization: Bearer TOKEN`. On loopback none is needed, unless `linstock up --require-token`.
    """


@token.command(
    epilog="Examples:  linstock token create --role admin  ·  linstock token create --role viewer --name grafana"
    " --expires 90d  ·  linstock token create --role operator > token.txt"
)
@_data_dir
@click.option("--role", type=click.Choice(ROLES), required=True,
              help="viewer looks; operator also starts and stops scans; admin also changes and deletes.")  # fmt: skip
@click.option("--workspace", default="default", show_default=True, help="What it sees: this workspace alone.")
@click.option("--name", help="Who or what it is for; every change names it. The role's name by default.")
@click.option("--expires", type=Lifetime(), help="After 30m, 12h, 90d or 52w; by default never.")
@_output("table", "json")
def create(
    data_dir: Path, role: Role, workspace: str, name: str | None, expires: timedelta | None, output: str
) -> None:
    """Make a token and print it, this once: it is not kept."""
    from services.up import tokens

    tokens.create(data_dir, role, workspace, name or role, expires, as_json=output == "json")


@token.command(epilog="Example:  linstock token ls --all -o json")
@_data_dir
@click.option("--all", "unusable", is_flag=True, help="Also those that were revoked or have expired.")
@_output("table", "json", "jsonl")
def ls(data_dir: Path, unusable: bool, output: str) -> None:
    """List tokens: whose, which role, used when."""
    from services.up import tokens

    tokens.ls(data_dir, unusable=unusable, output=output)


@token.command(epilog="Example:  linstock token revoke 1f0c2a9e")
@_data_dir
@click.argument("which", metavar="ID")
def revoke(data_dir: Path, which: str) -> None:
    """Take a token's power away, within 5 seconds. ID is the whole id, or its first eight characters."""
    from services.up import tokens

    tokens.revoke(data_dir, which)
