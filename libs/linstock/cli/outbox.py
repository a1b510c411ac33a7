"""`linstock outbox …`: jobs out of transactions. Light to import: `linstock --help` reads this module."""

from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli.options import Command, examples

if TYPE_CHECKING:
    from linstock.outbox.table import Table


def with_table(command: Command) -> Command:
    """Gives the command `schema` and `table`."""
    command = click.option("--schema", metavar="NAME", help="Of the tables. Default: the first of the search path")(
        command
    )
    return click.option("--table", default="linstock_outbox", show_default=True, metavar="NAME")(command)


@click.group(
    epilog=examples("linstock outbox ddl | psql app", "linstock outbox relay --database-url postgresql:///app")
)
def outbox() -> None:
    """Jobs that exist exactly if a transaction of the application commits."""


@outbox.command(
    epilog=examples("linstock outbox ddl | psql app", "linstock outbox ddl --schema app --table jobs_wanted")
)
@with_table
def ddl(schema: str | None, table: str) -> None:
    """Print the SQL that creates the tables. It may be run again and again."""
    click.echo(_table(schema, table).ddl, nl=False)


@outbox.command(
    epilog=examples(
        "linstock outbox relay --database-url postgresql://app:secret@db.internal/app",
        "LINSTOCK_OUTBOX_URL=postgresql:///app LINSTOCK_NATS_URL=nats://nats.internal:4222 linstock outbox relay",
        "linstock outbox relay --database-url postgresql:///app --once",
    )
)
@click.option(
    "--database-url",
    envvar="LINSTOCK_OUTBOX_URL",
    metavar="URL",
    help="Of the application's PostgreSQL; or LINSTOCK_OUTBOX_URL, which other users of the machine can't see.",
)
@click.option(
    "--nats-url",
    envvar="LINSTOCK_NATS_URL",
    metavar="URL",
    help="Of Linstock; or LINSTOCK_NATS_URL; else the data directory tells.",
)
@click.option(
    "--data-dir",
    type=click.Path(),
    envvar="LINSTOCK_DATA_DIR",
    metavar="DIR",
    help="Of a Linstock on this machine. Default: .linstock",
)
@with_table
@click.option(
    "--batch", type=click.IntRange(1, 10_000), default=500, show_default=True, help="How many rows it locks at once."
)
@click.option("--once", is_flag=True, help="Hand over what there is, and end: with 1 if Linstock refused some.")
@click.pass_context
def relay(
    ctx: click.Context,
    database_url: str | None,
    nats_url: str | None,
    data_dir: str | None,
    schema: str | None,
    table: str,
    batch: int,
    once: bool,
) -> None:
    """Hand the rows of an outbox to Linstock, until stopped. Any number may run.

    Waits through every outage. SIGTERM and Ctrl-C: ends after the rows it has in hand. Needs linstock[outbox].
    """
    if not database_url:
        raise click.UsageError("Say where the application's database is: --database-url, or LINSTOCK_OUTBOX_URL.")
    if not database_url.startswith(("postgresql://", "postgres://")):
        # It may hold a password, so it is not repeated.
        raise click.BadParameter("it begins with postgresql://", param_hint="--database-url")
    found = _table(schema, table)
    from linstock.cli import relaying

    ctx.exit(relaying.relay(database_url, nats_url, data_dir, found, batch=batch, once=once))


def _table(schema: str | None, table: str) -> "Table":
    from linstock.outbox.table import BadName, Table

    try:
        return Table(table, schema)
    except BadName as error:
        raise click.BadParameter(str(error), param_hint="--table, --schema") from error
