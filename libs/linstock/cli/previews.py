"""What `linstock schedule preview` asks and shows."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import rich_click as click

from linstock.cli import schedule_rules, words
from linstock.cli.schedules import local
from linstock.cli.screen import Screen, note

if TYPE_CHECKING:
    from linstock.cli.api import Api, Json


def show(
    api: "Api",
    screen: Screen,
    expression: str | None,
    schedule_id: str | None,
    *,
    zone: str | None,
    after: datetime | None,
    count: int,
    **rules: Any,
) -> None:
    wanted = {
        "cronExpression": expression,
        "scheduledJobId": schedule_id,
        "timeZone": zone,
        "from": words.utc(after) if after else None,
        "count": count,
    }
    body = {name: value for name, value in wanted.items() if value is not None} | schedule_rules.body(rules)
    told = api.command("POST", "/schedules/preview", body).body
    if screen.form != "table":
        screen.one(told, ())
        return
    screen.one(told, _fields(told))
    for instant in told["next"]:
        at = datetime.fromisoformat(instant["at"])
        click.echo(f"  {words.utc(at)}  {local(at, told['timeZone'])}")
    for warning in told["warnings"]:
        note(f"Warning: {warning}")


def _fields(told: "Json") -> Iterator[tuple[str, object]]:
    yield "when", f"{told['words']}  ({told['cronExpression']})"
    if told["replay"] is not None:
        yield from _replayed(told["replay"])


def _replayed(replay: "Json") -> Iterator[tuple[str, object]]:
    more = "" if replay["complete"] else " and more"
    yield "last 30 days", f"{words.counted(replay['instants'], 'time')}{more}, {replay['fired']:,} would have fired"
    yield "as long as", f"{words.counted(replay['runs'], 'real run')} took"
    absences = words.counted(replay["absences"], "time")
    for name, what, how in (
        ("caughtUp", "caught up", ", when somebody was there again"),
        ("missed", "missed", f", when nobody was ({absences})"),
        ("outsideWindow", "outside", ""),
        ("skipped", "skipped", ", while another ran"),
        ("delayed", "delayed", ", behind another"),
        ("endedOther", "ending another", ""),
    ):
        if replay[name]:
            yield what, f"{replay[name]:,}{how}"
    if replay["longestDelaySeconds"]:
        yield "latest by", f"{replay['longestDelaySeconds']:,.0f} s"
