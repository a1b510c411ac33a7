"""`linstock completion SHELL`. Light to import: `linstock --help` reads this module."""

import rich_click as click

from linstock.cli.options import examples

PROGRAM, VARIABLE = "linstock", "_LINSTOCK_COMPLETE"


@click.command(
    epilog=examples(
        'eval "$(linstock completion bash)"   # in ~/.bashrc',
        'eval "$(linstock completion zsh)"    # in ~/.zshrc',
        "linstock completion fish > ~/.config/fish/completions/linstock.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete commands, options, and names of libraries and schedules."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(ctx.find_root().command, {}, PROGRAM, VARIABLE).source())
