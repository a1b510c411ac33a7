"""What became of a schedule's instants, as people read it: in the wall times of its zone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from linstock.cli import words
from linstock.cli.exits import Ended, Exit
from linstock.cli.schedules import local
from linstock.cli.screen import Column, Screen, more, note

if TYPE_CHECKING:
    from linstock.cli.api import Api, Json

_TICKS = (
    Column("WHEN", lambda tick: _span(tick), folds=True),
    Column("VERDICT", lambda tick: tick["verdict"]),
    Column("WHY", lambda tick: tick["explanation"], folds=True),
    Column("RUN", lambda tick: _run(tick), folds=True),
)
VERSIONS = (
    Column("VERSION", lambda version: version["version"], right=True),
    Column("WHEN", lambda version: f"{version['cronExpression']} {version['timeZone']}", folds=True),
    Column("SINCE", lambda version: words.moment(version["since"])),
    Column("UNTIL", lambda version: words.moment(version["until"]) + (" (deleted)" if version["deletedBy"] else "")),
    Column("BY", lambda version: version["changedBy"]),
    Column("NAME", lambda version: version["name"], folds=True),
)


def zone_of(api: "Api", schedule_id: str) -> str:
    """Of its newest version: also of a schedule that is deleted."""
    found = api.get(f"/scheduledjobs/{schedule_id}/versions", pageSize=1)["data"]
    return str(found[0]["timeZone"]) if found else "UTC"


def instant(time: datetime, zone: str) -> datetime:
    """When a schedule for this wall time would fire, unless it has its own offset."""
    if time.tzinfo is not None:
        return time
    from linstock import cron

    fields = f"{time.second} {time.minute} {time.hour} {time.day} {time.month} *"
    try:
        found = cron.next(fields, zone, time.replace(tzinfo=UTC) - timedelta(days=2))
    except (cron.InvalidCron, OverflowError):
        found = None
    if found is None:
        raise Ended(f"{time} in {zone} is no time that this version knows: give its offset.", Exit.USAGE)
    return found


def show(api: "Api", screen: Screen, schedule_id: str, limit: int, span: dict[str, str], zone: str) -> None:
    path = f"/scheduledjobs/{schedule_id}/ticks"
    rows, total = api.rows(path, limit, **span)
    shown = [{"zone": zone, **row} for row in rows] if screen.form == "table" else rows
    screen.rows(shown, _TICKS, none="There is no verdict in that time." if span else "There is no verdict yet.")
    more(len(rows), total)
    if screen.form == "table":
        for each in api.get(path, pageSize=1, **span)["upcoming"]:
            note(f"{_local(each['instant'], zone)}: {each['explanation']}")


def show_instant(api: "Api", screen: Screen, schedule_id: str, at: datetime, zone: str) -> None:
    page = api.get(f"/scheduledjobs/{schedule_id}/ticks", at=at.isoformat())
    entry = page["data"][0] if page["data"] and page["at"]["verdict"] else {}
    screen.one(page["at"], _fields(page["at"], entry, zone))


def _fields(about: "Json", entry: "Json", zone: str) -> Iterator[tuple[str, object]]:
    zone = about["timeZone"] or zone
    yield "instant", _local(about["instant"], zone)
    yield "verdict", about["verdict"] or about["state"].replace("_", " ")
    yield "why", about["explanation"]
    yield "run", _run(entry) if entry.get("runId") else None
    if about["version"] is not None:
        yield "in force", f"{about['cronExpression']} {zone} (version {about['version']})"
    if about["nextInstant"]:
        yield "next after it", _local(about["nextInstant"], zone)


def _span(tick: "Json") -> str:
    zone = tick["timeZone"] or tick["zone"]
    first = _local(tick["first"], zone)
    return first if tick["count"] == 1 else f"{first} to {_local(tick['last'], zone)}"


def _run(tick: "Json") -> str:
    if tick.get("runId") is None:
        return ""
    return f"{words.short(tick['runId'])} {tick['runStatus'] or 'no longer kept'}"


def _local(text: str, zone: str) -> str:
    return local(datetime.fromisoformat(text), zone)
