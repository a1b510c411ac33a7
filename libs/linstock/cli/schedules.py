"""A schedule as people read it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from linstock.cli import words
from linstock.cli.schedule_rules import told
from linstock.cli.screen import Column, Screen, note

if TYPE_CHECKING:
    from linstock.cli.api import Json

NEXT_RUNS = 3

COLUMNS = (
    Column("ID", lambda row: words.short(row["id"])),
    Column("NAME", lambda row: row["name"], folds=True),
    Column("STATE", lambda row: state(row)),
    Column("WHEN", lambda row: f"{row['cronExpression']} {row['timeZone']}", folds=True),
    Column("NEXT", lambda row: words.moment(row.get("nextRunAt"))),
    Column("LAST RUN", lambda row: row.get("lastRunStatus") or "-"),
    Column("RUNS", lambda row: words.number(row["runCount"]), right=True),
    Column("FAILED", lambda row: words.number(row["failureCount"]), right=True),
)


def state(schedule: "Json") -> str:
    if not schedule["isEnabled"]:
        return "off"
    return "paused" if schedule.get("isPaused") else "on"


def fields(schedule: "Json") -> Iterator[tuple[str, object]]:
    yield "schedule", schedule["id"]
    yield "name", schedule["name"]
    yield "description", schedule.get("description")
    yield from timing(schedule)
    yield from told(schedule)
    yield (
        "last run",
        f"{words.moment(schedule['lastRunAt'])} {schedule.get('lastRunStatus')}" if schedule.get("lastRunAt") else "-",
    )
    yield (
        "runs",
        f"{schedule['runCount']:,}: {schedule['successCount']:,} completed, {schedule['failureCount']:,} failed",
    )
    yield "last error", schedule.get("lastErrorMessage")
    yield "mode", schedule.get("scanMode")
    yield "priority", schedule.get("priority")
    yield (
        "time limit",
        f"{schedule['timeoutMinutes']:g} min, {words.counted(schedule['maxRetryAttempts'], 'retry', 'retries')}",
    )


def timing(schedule: "Json") -> Iterator[tuple[str, object]]:
    """When it fires, in words, and the next instants in its own zone."""
    from linstock.cron.explain import explain

    expression, zone = schedule["cronExpression"], schedule["timeZone"]
    yield "state", state(schedule)
    if schedule.get("isPaused"):
        yield "paused", f"{words.moment(schedule['pausedAt'])} by {schedule['pausedBy']}"
        yield "because", schedule["pauseReason"]
        yield "until", words.moment(schedule["resumeAt"])
    yield "when", f"{explain(expression, zone, schedule['days'])}  ({expression})"
    if state(schedule) == "on":
        yield "next runs", ", ".join(_upcoming(schedule))


def _upcoming(schedule: "Json") -> Iterator[str]:
    """The next runs that its rules let happen: wall times with their offset."""
    from linstock import cron, recurrence
    from linstock.messages.rules import Rules, Timing, Window

    timing = Timing(
        expression=schedule["cronExpression"],
        zone=schedule["timeZone"],
        days=schedule.get("days", "and"),
        clock_changes=schedule.get("clockChanges", "cronos"),
    )
    rules = Rules(
        starts_at=_moment(schedule.get("startsAt")),
        ends_at=_moment(schedule.get("endsAt")),
        excluded=tuple(
            Window(first=datetime.fromisoformat(each["first"]), last=datetime.fromisoformat(each["last"]))
            for each in schedule.get("excluded") or ()
        ),
    )
    instant: datetime | None = datetime.now(UTC)
    for _ in range(NEXT_RUNS):
        try:
            instant = recurrence.first_inside(timing, rules, instant) if instant else None
        except cron.InvalidCron:  # this version cannot evaluate it
            return
        if instant:
            yield local(instant, timing.zone)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def local(instant: datetime, zone: str) -> str:
    return instant.astimezone(ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M:%S %z")


def started(screen: Screen, answer: "Json") -> None:
    """A run that was asked for, and how to look on."""
    screen.one(answer, [("run", answer["id"])])
    note(f"Look on: linstock run show {words.short(answer['id'])} --wait")
