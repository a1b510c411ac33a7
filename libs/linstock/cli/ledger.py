"""`linstock schedule ticks | versions`: did it fire, and if not, why. Light to import: `linstock --help` reads it."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import rich_click as click

from linstock.cli.named import SCHEDULE
from linstock.cli.options import examples, limited, with_api, with_screen

if TYPE_CHECKING:
    from linstock.cli.api import Api
    from linstock.cli.screen import Screen

VERDICT = click.Choice(("fired", "late", "caught_up", "skipped", "backfilled"))

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
    "linstock schedule ticks 5f0e --verdict skipped --reason overlap",
))  # fmt: skip
@_named
@click.option("--from", "since", type=When(), metavar="TIME", help="At this time or later.")
@click.option("--to", "until", type=When(), metavar="TIME", help="Before this time.")
@click.option("--at", type=When(), metavar="TIME", help="What became of this one instant.")
@click.option("--verdict", "verdicts_", multiple=True, type=VERDICT, help="Only these; may be given again.")
@click.option("--reason", "reasons", multiple=True, metavar="REASON", help="Only skipped for this; may be given again.")
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
    verdicts_: tuple[str, ...],
    reasons: tuple[str, ...],
    limit: int,
) -> None:
    """Did it fire, and if not, why: each instant at which it was due, the newest first.

    A TIME without its offset is one of the schedule's zone: of two the first; one that the clocks skip is where the gap
    ends, which is when it fires. Name a deleted schedule by its whole id.
    """
    from linstock.cli import verdicts

    filters = {"verdict": ",".join(verdicts_), "reason": ",".join(reasons)}
    if at is not None and (since is not None or until is not None or any(filters.values())):
        raise click.UsageError("--at is about one instant: without --from, --to, --verdict and --reason.")
    schedule_id = SCHEDULE.identity(api, name)
    zone = verdicts.zone_of(api, schedule_id)
    if at is not None:
        verdicts.show_instant(api, screen, schedule_id, verdicts.instant(at, zone), zone)
        return
    span = {
        name: verdicts.instant(given, zone).isoformat() for name, given in (("from", since), ("to", until)) if given
    }
    verdicts.show(api, screen, schedule_id, limit, span | {name: any_ for name, any_ in filters.items() if any_}, zone)


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


@click.command(epilog=examples("linstock schedule diff 5f0e 3", "linstock schedule diff 5f0e 3 5"))
@_named
@click.argument("version", type=click.IntRange(1))
@click.argument("other", type=click.IntRange(1), required=False)
@with_screen
@with_api
def diff(api: "Api", screen: "Screen", name: str, version: int, other: int | None) -> None:
    """What VERSION changed; with OTHER, what became different from the one to the other."""
    from linstock.cli import differences

    differences.show(api, screen, SCHEDULE.identity(api, name), version, other)


@click.command(epilog=examples(
    "linstock schedule backfill 5f0e --from 2026-03-01 --to 2026-03-08 --dry-run",
    "linstock schedule backfill 5f0e --from '2026-03-29 00:00' --to 2026-03-29T06:00:00Z --yes",
))  # fmt: skip
@_named
@click.option(
    "--from", "since", type=When(), metavar="TIME", required=True, help="The first instant that may be meant."
)
@click.option("--to", "until", type=When(), metavar="TIME", required=True, help="The last one; not in the future.")
@click.option("--dry-run", is_flag=True, help="Only show what would happen.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@with_screen
@with_api
def backfill(
    api: "Api", screen: "Screen", name: str, since: datetime, until: datetime, dry_run: bool, yes: bool
) -> None:
    """Make up for instants that are past: each that never had a run gets one, one after another, the oldest first.

    The instants are those of the expression in force now, at most 200. A TIME without its offset is one of the
    schedule's zone. Shows what will happen, and asks.
    """
    from linstock.cli import backfills, verdicts

    found = SCHEDULE.find(api, name)
    zone = found["timeZone"]
    span: dict[str, Any] = {
        "from": verdicts.instant(since, zone).isoformat(),
        "to": verdicts.instant(until, zone).isoformat(),
    }
    backfills.run(api, screen, found["id"], span, zone, dry_run=dry_run, asks=not yes)
