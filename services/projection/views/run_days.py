"""Runs and verdicts of each scope per day (UTC), kept when the runs are forgotten. From the scheduler log."""

from datetime import date

from msgspec import Struct

from linstock.statuses import COMPLETED, ENDED, FAILED, TIMEOUT
from services.projection.sums import Sums
from services.projection.views.jobs import Change
from services.projection.views.scopes import scopes


class RunDay(Struct, frozen=True):
    """`runs` were asked for on this day; `successes` and `failures` ended on it."""

    scope: str
    day: date
    runs: int
    successes: int
    failures: int


def sums() -> Sums[RunDay]:
    return Sums("run_days", RunDay, key=("scope", "day"))


def fold(days: Sums[RunDay], change: Change) -> None:
    before, job = change.before, change.after
    if before is None:
        day, amounts = job.requested_at.date(), (1, 0, 0)
    elif job.ended_at is not None and before.status not in ENDED:
        day, amounts = job.ended_at.date(), (0, int(job.status == COMPLETED), int(job.status in (FAILED, TIMEOUT)))
    else:
        return
    for scope in scopes(job.workspace, job.schedule_id, job.library_id, job.job_type):
        if scope is not None:
            days.add((scope, day), *amounts)
