"""The `linstock` command. Its subcommands arrive by the entry-point group `linstock.commands`: the SDK brings those
that talk to a server, linstock-server brings `up` and the rest."""

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

import rich_click as click
from click.exceptions import NoArgsIsHelpError

from linstock.cli.exits import Exit, table

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

    def invoke(self, ctx: click.Context) -> object:
        """What cannot be done is said in one plain line, whole also in a pipe."""
        try:
            return super().invoke(ctx)
        except NoArgsIsHelpError as error:
            click.echo(error.format_message())
            ctx.exit(Exit.USAGE)
        except click.ClickException as error:
            click.echo(f"Error: {error.format_message()}", err=True)
            if isinstance(error, click.UsageError) and error.ctx is not None:
                click.echo(f"How it is used: {error.ctx.command_path} --help", err=True)
            ctx.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            click.echo("Interrupted.", err=True)
            ctx.exit(Exit.INTERRUPTED)


@cache
def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\n\n".join(
        (
            "Examples:",
            "$ linstock up ~/Pictures",
            "$ linstock lib add ~/Pictures --cron '0 2 * * *' --zone Europe/Berlin --wait",
            "",
            "Exit codes:",
            *table(),
        )
    ),
)
@click.version_option(package_name="linstock")
def main() -> None:
    """Linstock runs work on time and remembers everything it did."""
