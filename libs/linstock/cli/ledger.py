"""`linstock schedule ticks | versions`: did it fire, and if not, why. Light to import: `linstock --help` reads it."""

from datetime import datetime
from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli.named import SCHEDULE
from linstock.cli.options import examples, limited, with_api, with_screen

if TYPE_CHECKING:
    from linstock.cli.api import Api
    from linstock.cli.screen import Screen

_named = click.argument("name", metavar="SCHEDULE", type=SCHEDULE)


class When(click.ParamType[datetime]):
    """A time with or without its offset."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time such as '2026-03-29 02:00' or 2026-03-29T00:00:00Z", param, ctx)


@click.command(epilog=examples(
    "linstock schedule ticks 5f0e",
    "linstock schedule ticks 5f0e --at '2026-03-29 02:00'",
    "linstock schedule ticks 'Library Scan - Holidays' --from 2026-03-01 --to 2026-04-01 -o json",
))  # fmt: skip
@_named
@click.option("--from", "since", type=When(), metavar="TIME", help="At this time or later.")
@click.option("--to", "until", type=When(), metavar="TIME", help="Before this time.")
@click.option("--at", type=When(), metavar="TIME", help="What became of this one instant.")
@limited(20)
@with_screen
@with_api
def ticks(
    api: "Api",
    screen: "Screen",
    name: str,
    since: datetime | None,
    until: datetime | None,
    at: datetime | None,
    limit: int,
) -> None:
    """Did it fire, and if not, why: each instant at which it was due, the newest first.

    A TIME without its offset is one of the schedule's zone: of two the first; one that the clocks skip is where the gap
    ends, which is when it fires. Name a deleted schedule by its whole id.
    """
    from linstock.cli import verdicts

    if at is not None and (since is not None or until is not None):
        raise click.UsageError("--at is about one instant: without --from and --to.")
    schedule_id = SCHEDULE.identity(api, name)
    zone = verdicts.zone_of(api, schedule_id)
    if at is not None:
        verdicts.show_instant(api, screen, schedule_id, verdicts.instant(at, zone), zone)
        return
    span = {
        name: verdicts.instant(given, zone).isoformat() for name, given in (("from", since), ("to", until)) if given
    }
    verdicts.show(api, screen, schedule_id, limit, span, zone)


@click.command(epilog=examples("linstock schedule versions 5f0e"))
@_named
@limited(20)
@with_screen
@with_api
def versions(api: "Api", screen: "Screen", name: str, limit: int) -> None:
    """Which expression was in force when, and who said so, the newest first."""
    from linstock.cli.screen import more
    from linstock.cli.verdicts import VERSIONS

    rows, total = api.rows(f"/scheduledjobs/{SCHEDULE.identity(api, name)}/versions", limit)
    screen.rows(rows, VERSIONS, none="There is no version of it.")
    more(len(rows), total)
