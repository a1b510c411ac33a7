"""A schedule as people read it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from linstock.cli import words
from linstock.cli.screen import Column, Screen, note

if TYPE_CHECKING:
    from linstock.cli.api import Json

NEXT_RUNS = 3
HORIZON = timedelta(days=366 * 50)

COLUMNS = (
    Column("ID", lambda row: words.short(row["id"])),
    Column("NAME", lambda row: row["name"], folds=True),
    Column("STATE", lambda row: "on" if row["isEnabled"] else "off"),
    Column("WHEN", lambda row: f"{row['cronExpression']} {row['timeZone']}", folds=True),
    Column("NEXT", lambda row: words.moment(row.get("nextRunAt"))),
    Column("LAST RUN", lambda row: row.get("lastRunStatus") or "-"),
    Column("RUNS", lambda row: words.number(row["runCount"]), right=True),
    Column("FAILED", lambda row: words.number(row["failureCount"]), right=True),
)


def fields(schedule: "Json") -> Iterator[tuple[str, object]]:
    yield "schedule", schedule["id"]
    yield "name", schedule["name"]
    yield "description", schedule.get("description")
    yield from timing(schedule)
    yield (
        "last run",
        f"{words.moment(schedule['lastRunAt'])} {schedule.get('lastRunStatus')}" if schedule.get("lastRunAt") else "-",
    )
    yield (
        "runs",
        f"{schedule['runCount']:,}: {schedule['successCount']:,} completed, {schedule['failureCount']:,} failed",
    )
    yield "last error", schedule.get("lastErrorMessage")
    yield "priority", schedule.get("priority")
    yield (
        "time limit",
        f"{schedule['timeoutMinutes']:g} min, {words.counted(schedule['maxRetryAttempts'], 'retry', 'retries')}",
    )


def timing(schedule: "Json") -> Iterator[tuple[str, object]]:
    """When it fires, in words, and the next instants in its own zone."""
    from linstock.cron.explain import explain

    expression, zone = schedule["cronExpression"], schedule["timeZone"]
    yield "state", "on" if schedule["isEnabled"] else "off"
    yield "when", f"{explain(expression, zone)}  ({expression})"
    if schedule["isEnabled"]:
        yield "next runs", ", ".join(upcoming(expression, zone, datetime.now(UTC), NEXT_RUNS))


def upcoming(expression: str, zone: str, after: datetime, count: int) -> list[str]:
    """Wall times with their offset; none for what this version cannot evaluate."""
    from linstock import cron

    try:
        instants = cron.due_instants(expression, zone, after, after + HORIZON, count)
    except cron.InvalidCron:
        return []
    return [local(instant, zone) for instant in instants]


def local(instant: datetime, zone: str) -> str:
    return instant.astimezone(ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M:%S %z")


def started(screen: Screen, answer: "Json") -> None:
    """A run that was asked for, and how to look on."""
    screen.one(answer, [("run", answer["id"])])
    note(f"Look on: linstock run show {words.short(answer['id'])} --wait")
