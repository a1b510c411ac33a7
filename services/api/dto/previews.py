"""What a schedule would do, over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, field

from services.api.dto.schedule_rules import RuledBody
from services.api.dto.wire import Cron, Wire, Zone

MOST = 100


class PreviewBody(RuledBody, frozen=True):
    """`scheduledJobId`: what is not given is that schedule's, and its runs of the last 30 days are replayed. `from`:
    only instants later than this, now if not given; the years 1900 to 9000 are told. `jitterSeconds`, `maxRuns` and
    `pauseAfterFailures` change nothing that is told here."""

    cron_expression: Cron | UnsetType = UNSET
    time_zone: Zone | UnsetType = UNSET
    count: Annotated[int, Meta(ge=1, le=MOST)] = 10
    after: Annotated[datetime, Meta(tz=True)] | UnsetType = field(default=UNSET, name="from")
    scheduled_job_id: UUID | UnsetType = UNSET


class InstantDto(Wire):
    """`local` is the wall time in the schedule's zone, with its offset."""

    at: datetime
    local: str


class ClashDto(Wire):
    """`outcome`: skipped | delayed | ended_other."""

    at: datetime
    busy_until: datetime
    outcome: str


class ReplayDto(Wire):
    """The last 30 days again, each run taking as long as the real one of its moment did. `complete`: all instants were
    looked at. `fired` + `skipped` + `missed` is `instants`; beside them, `outsideWindow` lie outside the times at which
    it may fire. In `absences` stretches nobody was there, by the ledger of this schedule: `caughtUp` would have fired
    at their end, those that are `missed` never. `skipped` clashed with another run. `clashes` are the first twenty
    instants at which one still went on."""

    since: datetime
    runs: int
    instants: int
    outside_window: int
    absences: int
    fired: int
    caught_up: int
    missed: int
    skipped: int
    delayed: int
    ended_other: int
    longest_delay_seconds: float
    clashes: list[ClashDto]
    complete: bool


class PreviewDto(Wire):
    """`words` say it in English; `warnings` are sentences about what may surprise."""

    cron_expression: str
    time_zone: str
    words: str
    next: list[InstantDto]
    warnings: list[str]
    replay: ReplayDto | None
