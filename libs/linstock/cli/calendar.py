"""`linstock calendar …`: days on which schedules do not fire. Light to import: `linstock --help` reads this module."""

from datetime import date
from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli.options import examples, limited, with_api, with_screen

if TYPE_CHECKING:
    from linstock.cli.api import Api
    from linstock.cli.screen import Screen


class Day(click.ParamType[date]):
    """A whole day."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no day such as 2026-12-25", param, ctx)


_named = click.argument("name", metavar="NAME")


@click.group(
    epilog=examples(
        "linstock calendar set holidays --day 2026-12-25 --day 2026-12-26",
        "linstock schedule set 5f0e --calendar holidays",
    )
)
def calendar() -> None:
    """Name days, such as public holidays, on which schedules do not fire: see `linstock schedule set --calendar`."""


@calendar.command(epilog=examples("linstock calendar ls"))
@limited(200)
@with_screen
@with_api
def ls(api: "Api", screen: "Screen", limit: int) -> None:
    """List calendars by name, with how many schedules use them."""
    from linstock.cli.calendars import COLUMNS
    from linstock.cli.screen import more

    rows, total = api.rows("/calendars", limit)
    screen.rows(rows, COLUMNS, none="No calendars yet: linstock calendar set NAME --day 2026-12-25")
    more(len(rows), total)


@calendar.command(epilog=examples("linstock calendar show holidays"))
@_named
@with_screen
@with_api
def show(api: "Api", screen: "Screen", name: str) -> None:
    """Show one calendar with its days."""
    from linstock.cli import calendars

    found = api.get(calendars.path(name))
    screen.one(found, calendars.fields(found))


@calendar.command(
    "set",
    epilog=examples(
        "linstock calendar set holidays --day 2026-12-25 --day 2026-12-26",
        "linstock calendar set holidays --file holidays.txt --description 'Public holidays in Berlin'",
    ),
)
@_named
@click.option("--day", "days", type=Day(), multiple=True, metavar="DAY", help="One of its days; repeatable.")
@click.option(
    "--file", type=click.Path(allow_dash=True), metavar="FILE",
    help="A day a line; what follows it, and lines that begin with #, are left out. - is stdin.",
)  # fmt: skip
@click.option("--empty", is_flag=True, help="It has no days.")
@click.option("--description", help="A sentence about it. Default: as it was.")
@with_screen
@with_api
def change(
    api: "Api",
    screen: "Screen",
    name: str,
    days: tuple[date, ...],
    file: str | None,
    empty: bool,
    description: str | None,
) -> None:
    """Make a calendar, or replace all its days. Schedules that use it follow at once."""
    from linstock.cli import calendars

    wanted = [*days, *(calendars.read(file) if file else ())]
    if empty == bool(wanted):
        raise click.UsageError("Say its days: --day or --file, or --empty.")
    done = calendars.put(api, name, wanted, description)
    screen.one(done, calendars.fields(done))


@calendar.command(epilog=examples("linstock calendar rm holidays"))
@_named
@with_api
def rm(api: "Api", name: str) -> None:
    """Remove a calendar that no schedule uses."""
    from linstock.cli import calendars

    calendars.remove(api, name)
