"""The rules of a schedule as options and in words. Light to import: `linstock --help` reads this module."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import rich_click as click

from linstock.cli.cron import Instant

if TYPE_CHECKING:
    from linstock.cli.api import Json
    from linstock.cli.options import Command

NONE = "none"


class OrNone(click.ParamType[object]):
    """What another type takes, or the word none."""

    def __init__(self, inner: "click.ParamType[Any]") -> None:
        self._inner = inner
        self.name = f"{inner.name} or none"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        return NONE if value == NONE else self._inner.convert(value, param, ctx)


class Stretch(click.ParamType[dict[str, str]]):
    """Two times with two dots between them."""

    name = "stretch"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, str]:
        if isinstance(value, dict):
            return value
        first, dots, last = str(value).partition("..")
        if not dots:
            self.fail(f"{value!r} is no stretch such as 2026-12-24T00:00:00Z..2026-12-26T23:59:59Z", param, ctx)
        return {
            "first": _text(Instant().convert(first, param, ctx)),
            "last": _text(Instant().convert(last, param, ctx)),
        }


DAYS = click.Choice(["and", "or"])
CLOCK_CHANGES = click.Choice(["cronos", "literal"])
OVERLAPS = click.Choice(["skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other"])

# What a preview takes too.
_REPLAYED = (
    click.option("--days", type=DAYS, help="Whether both day and weekday must match."),
    click.option(
        "--clock-changes", type=CLOCK_CHANGES, help="What becomes of times that the clocks skip."
    ),
    click.option(
        "--misfire",
        type=click.Choice(["fire_once", "fire_all", "skip"]),
        help="Of instants at which nobody was there, fire the latest, all, or none.",
    ),
    click.option("--catchup-window", type=int, metavar="SECONDS", help="None fires that is older."),
    click.option("--catchup-limit", type=int, metavar="N", help="At most so many with --misfire fire_all."),
    click.option(
        "--overlap",
        type=OVERLAPS,
        help="While a run is open: skip, wait for it, or cancel it.",
    ),
    click.option("--buffer-limit", type=int, metavar="N", help="At most so many wait with --overlap buffer_all."),
    click.option("--starts", type=OrNone(Instant()), metavar="TIME", help="Nothing fires before. none: no limit."),
    click.option("--ends", type=OrNone(Instant()), metavar="TIME", help="Nothing fires after. none: no limit."),
    click.option(
        "--except", "excluded", type=OrNone(Stretch()), multiple=True, metavar="TIME..TIME",
        help="Nothing fires in between; repeatable, replaces the whole list. none: empty.",
    ),
    click.option(
        "--calendar", "calendars", multiple=True, metavar="NAME",
        help="Nothing fires on its days; repeatable, replaces the whole list. none: no calendar.",
    ),
)  # fmt: skip
_OPTIONS = (
    *_REPLAYED,
    click.option("--jitter", type=int, metavar="SECONDS", help="Fire later by a part of this, always the same."),
    click.option("--max-runs", type=OrNone(click.INT), metavar="N", help="So often, then it is off. none: for ever."),
    click.option(
        "--pause-after-failures", type=OrNone(click.INT), metavar="N", help="So many in a row pause it. none: never."
    ),
)  # fmt: skip

# As the API names them.
_NAMES = {
    "days": "days",
    "clock_changes": "clockChanges",
    "misfire": "misfirePolicy",
    "catchup_window": "catchupWindowSeconds",
    "catchup_limit": "catchupLimit",
    "overlap": "overlapPolicy",
    "buffer_limit": "bufferLimit",
    "jitter": "jitterSeconds",
    "starts": "startsAt",
    "ends": "endsAt",
    "max_runs": "maxRuns",
    "pause_after_failures": "pauseAfterFailures",
}


def rules(command: "Command") -> "Command":
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def replayed(command: "Command") -> "Command":
    for option in reversed(_REPLAYED):
        command = option(command)
    return command


def body(given: dict[str, Any]) -> "Json":
    """What was given of the options above."""
    found: dict[str, Any] = {
        _NAMES[name]: None if value == NONE else _text(value) if isinstance(value, datetime) else value
        for name, value in given.items()
        if name in _NAMES and value is not None
    }
    excluded = [each for each in given["excluded"] if each != NONE]
    if given["excluded"]:
        found["excluded"] = excluded
    if given["calendars"]:
        found["calendars"] = [each for each in given["calendars"] if each != NONE]
    return found


def told(schedule: "Json") -> Iterator[tuple[str, object]]:
    """What differs from what is usual."""
    if schedule.get("misfirePolicy", "fire_once") != "fire_once":
        yield "missed ones", schedule["misfirePolicy"]
    if schedule.get("overlapPolicy", "skip") != "skip":
        yield "overlap", schedule["overlapPolicy"]
    if schedule.get("jitterSeconds"):
        yield "jitter", f"{schedule['jitterSeconds']:,} s"
    yield "starts", schedule.get("startsAt")
    yield "ends", schedule.get("endsAt")
    yield "not from", ", ".join(f"{each['first']} to {each['last']}" for each in schedule.get("excluded") or ())
    yield "not on days of", ", ".join(schedule.get("calendars") or ())
    yield "runs at most", schedule.get("maxRuns")
    yield "pauses after", f"{failures} failures in a row" if (failures := schedule.get("pauseAfterFailures")) else None


def _text(moment: datetime) -> str:
    return moment.isoformat()
