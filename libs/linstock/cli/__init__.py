"""The `linstock` command. Its subcommands arrive by the entry-point group `linstock.commands`, so the SDK alone has
only its own, and the server adds `up` and the rest by being installed."""

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

import rich_click as click

GROUP = "linstock.commands"


class Commands(click.RichGroup):
    """Imports a subcommand's module only when it is run or its help is listed: those modules stay light."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_installed()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        found = _installed().get(cmd_name)
        if found is None:
            return None
        command: click.Command = getattr(import_module(found.module), found.attr)
        return command


def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: linstock up ~/Pictures",
)
@click.version_option(package_name="linstock")
def main() -> None:
    """Linstock runs work on time and remembers everything it did."""
