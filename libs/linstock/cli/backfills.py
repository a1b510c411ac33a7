"""Making up for instants that are past, as people read it: in the wall times of the schedule's zone."""

from datetime import datetime
from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli import words
from linstock.cli.exits import Ended
from linstock.cli.libraries import somebody_is_there
from linstock.cli.schedules import local
from linstock.cli.screen import Column, Screen, note

if TYPE_CHECKING:
    from linstock.cli.api import Api, Json

_OUTCOMES = (
    Column("WHEN", lambda row: local(datetime.fromisoformat(row["instant"]), row["zone"])),
    Column("OUTCOME", lambda row: row["outcome"].replace("_", " ")),
    Column("RUN", lambda row: words.short(row["runId"]) if row["runId"] else ""),
)


def run(api: "Api", screen: Screen, schedule_id: str, span: "Json", zone: str, *, dry_run: bool, asks: bool) -> None:
    """Raises click.UsageError when it has to ask and nobody is there."""
    if asks and not dry_run:
        if not somebody_is_there():
            raise click.UsageError("Nobody is there to be asked: add --yes, or --dry-run.")
        meant = _told(api, schedule_id, {**span, "dryRun": True})
        if meant["fires"]:
            note(f"{_counted(meant)} Runs go one after another, the oldest first.")
            if not click.confirm("Ask for them?", err=True):
                raise Ended("No run was asked for.")
    done = _told(api, schedule_id, {**span, "dryRun": dry_run})
    if screen.form != "table":
        screen.one(done, [])
        return
    shown = [{"zone": zone, **row} for row in done["data"]]
    screen.rows(shown, _OUTCOMES, none="Its expression comes to no instant in that time.")
    if shown:
        note(_counted(done) if dry_run else f"Asked for {words.counted(done['fires'], 'run')}.")


def _told(api: "Api", schedule_id: str, body: "Json") -> "Json":
    done = api.command("POST", f"/scheduledjobs/{schedule_id}/backfill", body).body
    if "data" in done:
        return done
    # It was done later than the API waits: the same, as its owner answered.
    found = done.get("instants", [])
    counts = {name: sum(each["outcome"] == name for each in found) for name in ("fires", "fired_already", "undecided")}
    return {"dryRun": body["dryRun"], "fires": counts["fires"], "firedAlready": counts["fired_already"],
            "undecided": counts["undecided"], "scheduledJobId": schedule_id, "data": found}  # fmt: skip


def _counted(told: "Json") -> str:
    return (
        f"{words.counted(told['fires'], 'instant')} would fire, {told['firedAlready']:,} fired already, "
        f"{told['undecided']:,} undecided."
    )
