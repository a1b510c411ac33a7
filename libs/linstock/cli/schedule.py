"""`linstock schedule …`: when what runs. Light to import: `linstock --help` reads this module."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import rich_click as click

from linstock.cli.cron import Instant
from linstock.cli.ledger import backfill, diff, ticks, versions
from linstock.cli.many import many
from linstock.cli.named import LIBRARY, SCHEDULE
from linstock.cli.options import MODE, MODES_SAID, examples, limited, wait, with_api, with_mode, with_screen
from linstock.cli.schedule_rules import replayed, rules

if TYPE_CHECKING:
    from linstock.cli.api import Api
    from linstock.cli.screen import Screen


_named = click.argument("name", metavar="SCHEDULE", type=SCHEDULE)
_perhaps_named = click.argument("name", metavar="[SCHEDULE]", type=SCHEDULE, required=False)


@click.group(epilog=examples("linstock schedule ls", "linstock schedule pause 'Library Scan - Holidays'"))
def schedule() -> None:
    """See and change when what runs, and whether it did; pause it, resume it, or run it now.

    SCHEDULE is an id, the beginning of one (4 characters or more), or an exact name.
    """


schedule.add_command(ticks)
schedule.add_command(versions)
schedule.add_command(diff)
schedule.add_command(backfill)


@schedule.command(epilog=examples("linstock schedule ls", "linstock schedule ls --library Holidays -o json"))
@click.option("--library", type=LIBRARY, help="Only of this one: id, beginning of it, or name.")
@limited(200)
@with_screen
@with_api
def ls(api: "Api", screen: "Screen", library: str | None, limit: int) -> None:
    """List schedules by name."""
    from linstock.cli.schedules import COLUMNS
    from linstock.cli.screen import more

    library_id = LIBRARY.find(api, library)["id"] if library else None
    rows, total = api.rows("/scheduledjobs", limit, libraryId=library_id)
    screen.rows(rows, COLUMNS, none="There are no schedules yet: linstock lib add FOLDER")
    more(len(rows), total)


@schedule.command(epilog=examples("linstock schedule show 5f0e"))
@_named
@with_screen
@with_api
def show(api: "Api", screen: "Screen", name: str) -> None:
    """Show one schedule in words, with its next runs and how it went so far."""
    from linstock.cli.schedules import fields

    found = SCHEDULE.find(api, name)
    screen.one(found, fields(found))


@schedule.command(
    "set",
    epilog=examples(
        "linstock schedule set 5f0e --cron '0 3 * * *' --zone Europe/Berlin --overlap buffer_one",
        "linstock schedule set 5f0e --every 90 --jitter 60 --mode quick",
        "linstock schedule set 5f0e --except 2026-12-24T00:00:00Z..2026-12-26T23:59:59Z --max-runs none",
    ),
)
@_named
@click.option("--rename", metavar="NAME", help="What people call it.")
@click.option("--cron", metavar="EXPR", help="When, e.g. '0 2 * * *'; `linstock cron explain` says it in words.")
@click.option("--every", type=int, metavar="MINUTES", help="Instead of --cron: so many minutes between two runs.")
@click.option("--zone", metavar="ZONE", help="The time zone of --cron, e.g. Europe/Berlin.")
@click.option("--mode", type=MODE, help=MODES_SAID)
@rules
@with_screen
@with_api
def change(
    api: "Api",
    screen: "Screen",
    name: str,
    rename: str | None,
    cron: str | None,
    every: int | None,
    zone: str | None,
    mode: str | None,
    **given: Any,
) -> None:
    """Change what is given, at once; the rest stays. What is past never fires under new times."""
    from linstock.cli import schedule_rules

    plain = {"name": rename, "cronExpression": cron, "intervalMinutes": every, "timeZone": zone, "scanMode": mode}
    body = {field: value for field, value in plain.items() if value is not None} | schedule_rules.body(given)
    if not body:
        raise click.UsageError("Say what to change, such as --cron or --overlap.")
    _tell(api, screen, "PATCH", name, body=body)


@schedule.command(
    epilog=examples(
        "linstock schedule pause 5f0e --reason 'disk swap'",
        "linstock schedule pause --library Holidays --until 2026-03-29T06:00:00Z",
        "linstock schedule pause --all --dry-run",
    )
)
@_perhaps_named
@many
@click.option("--reason", help="Shown with it.")
@click.option("--until", type=Instant(), metavar="TIME", help="Resume by itself then.")
@with_screen
@with_api
def pause(
    api: "Api", screen: "Screen", name: str | None, reason: str | None, until: datetime | None, **given: Any
) -> None:
    """Fire no more until it is resumed; what runs goes on, and what passes is not made up for.

    Many at once: all of them or none, at most 5,000. What is disabled, or paused for at least as long, stays as it is.
    """
    body = ({"reason": reason} if reason else {}) | ({"resumeAt": until.isoformat()} if until else {})
    _tell_one_or_many(api, screen, name, "pause", body, given)


@schedule.command(epilog=examples("linstock schedule resume 5f0e", "linstock schedule resume --matching holi --yes"))
@_perhaps_named
@many
@with_screen
@with_api
def resume(api: "Api", screen: "Screen", name: str | None, **given: Any) -> None:
    """Fire again, from now on. Many at once: all of them or none, at most 5,000."""
    _tell_one_or_many(api, screen, name, "resume", {}, given)


@schedule.command(epilog=examples("linstock schedule restore 5f0e 3"))
@_named
@click.argument("version", type=click.IntRange(1))
@with_screen
@with_api
def restore(api: "Api", screen: "Screen", name: str, version: int) -> None:
    """Make it what VERSION was, as a new version: name, times, rules, and how its runs are run."""
    _tell(api, screen, "POST", name, "/restore", {"version": version})


@schedule.command(epilog=examples("linstock schedule disable 5f0e"))
@_named
@with_screen
@with_api
def disable(api: "Api", screen: "Screen", name: str) -> None:
    """Switch it off. A library's autoScan goes off with it."""
    _tell(api, screen, "POST", name, "/disable")


@schedule.command(epilog=examples("linstock schedule enable 5f0e"))
@_named
@with_screen
@with_api
def enable(api: "Api", screen: "Screen", name: str) -> None:
    """Switch it on. A library's autoScan goes on with it."""
    _tell(api, screen, "POST", name, "/enable")


@schedule.command(epilog=examples("linstock schedule trigger 5f0e --wait"))
@_named
@with_mode
@wait
@with_screen
@with_api
@click.pass_context
def trigger(ctx: click.Context, /, api: "Api", screen: "Screen", name: str, mode: str | None, wait: bool) -> None:
    """Run it once, now; its own times stay as they are."""
    from linstock.cli import runs, schedules

    found = SCHEDULE.find(api, name)
    body = {"triggeredBy": "Manual"} | ({"scanMode": mode} if mode else {})
    started = api.command("POST", f"/scheduledjobs/{found['id']}/trigger", body).body
    if wait:
        ctx.exit(runs.wait_and_show(api, screen, started["id"], scan=found.get("jobType") == runs.SCAN))
    schedules.started(screen, started)


@schedule.command(
    epilog=examples(
        "linstock schedule preview '30 2 * * *' --zone Europe/Berlin",
        "linstock schedule preview '*/5 * * * *' --of 'Library Scan - Holidays' --overlap buffer_one",
        "linstock schedule preview --of 'Library Scan - Holidays' --misfire fire_all --catchup-window 86400",
    )
)
@click.argument("expression", metavar="[EXPR]", required=False)
@click.option("--of", "named", type=SCHEDULE, metavar="SCHEDULE", help="Replay its runs of the last 30 days.")
@click.option("--zone", metavar="ZONE", help="IANA time zone; else the schedule's, or UTC.")
@click.option("--from", "after", type=Instant(), metavar="TIME", help="Only later than this. Default: now.")
@click.option("-n", "--count", type=click.IntRange(1, 100), default=10, show_default=True)
@replayed
@with_screen
@with_api
def preview(api: "Api", screen: "Screen", expression: str | None, named: str | None, **given: Any) -> None:
    """Show what a schedule would do: its next times, what may surprise, and how its past runs would have gone."""
    from linstock.cli import previews

    if expression is None and named is None:
        raise click.UsageError("Give an EXPR, or --of SCHEDULE.")
    schedule_id = SCHEDULE.find(api, named)["id"] if named else None
    previews.show(api, screen, expression, schedule_id, **given)


def _tell_one_or_many(
    api: "Api", screen: "Screen", name: str | None, what: str, body: dict[str, Any], given: dict[str, Any]
) -> None:
    from linstock.cli.many import are_meant, tell

    if are_meant(name, given):
        tell(api, screen, what, body, given)
    else:
        assert name
        _tell(api, screen, "POST", name, f"/{what}", body or None)


def _tell(
    api: "Api", screen: "Screen", method: str, name: str, what: str = "", body: dict[str, Any] | None = None
) -> None:
    """Shows the schedule as it is then."""
    from linstock.cli.schedules import fields

    found = SCHEDULE.find(api, name)
    done = api.command(method, f"/scheduledjobs/{found['id']}{what}", body).body
    shown = done if "isEnabled" in done else api.get(f"/scheduledjobs/{found['id']}")
    screen.one(shown, fields(shown))
