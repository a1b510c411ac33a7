"""`linstock cron …`: what an expression means, without any server. Light to import: `linstock --help` reads this."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli import words
from linstock.cli.options import examples, with_screen

if TYPE_CHECKING:
    from linstock.cli.screen import Screen

DEFAULT_COUNT = 5
MOST = 1_000
EXPLAINED = 3


class Instant(click.ParamType[datetime]):
    """An RFC 3339 time."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time such as 2026-03-29T00:00:00Z", param, ctx)
        if found.tzinfo is None:
            self.fail(f"{value!r} needs its offset: Z for UTC, or such as +02:00", param, ctx)
        return found


_expression = click.argument("expression", metavar="EXPR")
_zone = click.option("--zone", default="UTC", show_default=True, metavar="ZONE", help="IANA time zone.")


@click.group(epilog=examples("linstock cron explain '0 2 * * *' --zone Europe/Berlin"))
def cron() -> None:
    """Understand cron expressions; needs no server.

    EXPR has 5 fields (minute hour day month weekday), or 6 with seconds first; or is such as @daily or '@every 90s'.
    Quote it.
    """


@cron.command("next", epilog=examples(
    "linstock cron next '0 2 * * *' --zone Europe/Berlin",
    "linstock cron next '30 2 * * *' --zone Europe/Berlin --from 2026-03-29T00:00:00Z --count 3 -o json",
))  # fmt: skip
@_expression
@_zone
@click.option("--from", "after", type=Instant(), metavar="TIME", help="Only later than this. Default: now.")
@click.option("-n", "--count", type=click.IntRange(1, MOST), default=DEFAULT_COUNT, show_default=True)
@with_screen
def following(screen: "Screen", expression: str, zone: str, after: datetime | None, count: int) -> None:
    """Print the instants at which EXPR fires, in UTC."""
    instants = _instants(expression, zone, after, count)
    if screen.form == "table":
        from linstock.cli.schedules import local

        for instant in instants:
            click.echo(f"{words.utc(instant)}  {local(instant, zone)}")
        return
    texts = [words.utc(instant) for instant in instants]
    if screen.form == "json":
        screen.line(texts)
    else:
        for text in texts:
            screen.line(text)


@cron.command(epilog=examples("linstock cron explain '0 9-17 * * mon-fri' --zone Europe/Berlin"))
@_expression
@_zone
@with_screen
def explain(screen: "Screen", expression: str, zone: str) -> None:
    """Say in words when EXPR fires, and its next 3 runs."""
    from linstock.cron.explain import explain as worded

    instants = _instants(expression, zone, None, EXPLAINED)
    sentence = worded(expression, zone)
    texts = [words.utc(instant) for instant in instants]
    if screen.form == "table":
        from linstock.cli.schedules import local

        click.echo(sentence)
        for instant in instants:
            click.echo(f"  {local(instant, zone)}")
    else:
        screen.one({"expression": expression, "timeZone": zone, "words": sentence, "next": texts}, ())


def _instants(expression: str, zone: str, after: datetime | None, count: int) -> list[datetime]:
    """Raises click.BadParameter for what cannot be scheduled."""
    from linstock import cron as timing

    found: list[datetime] = []
    instant: datetime | None = after or datetime.now(UTC)
    try:
        timing.check(expression, zone)
        while instant is not None and len(found) < count:
            if instant := timing.next(expression, zone, instant):
                found.append(instant)
    except timing.InvalidCron as error:
        raise click.BadParameter(str(error), param_hint="--zone" if error.field == "zone" else "EXPR") from error
    return found
