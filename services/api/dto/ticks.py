"""The ledger over HTTP: what became of the instants at which a schedule was due."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from services.api.dto.schedules import Status
from services.api.dto.wire import Page, Wire

Verdict = Literal["fired", "late", "caught_up", "skipped"]
TickVerdict = Literal["fired", "late", "caught_up", "skipped", "backfilled"]
Upcoming = Literal["ahead", "undecided"]
State = Literal["decided", "ahead", "undecided", "not_expected", "unrecorded", "forgotten"]
Order = Literal["asc", "desc"]


class BackfilledTickDto(Wire):
    """An instant that was made up for because `by` asked for it at `at`. `runStatus` is null once the run is
    forgotten; `version` is the one whose expression came to it then."""

    instant: datetime
    at: datetime
    by: str
    run_id: UUID
    run_status: Status | None
    version: int


class ScheduledJobTickDto(Wire):
    """One instant, or `count` of them from `first` to `last` that were skipped for one reason. `instant` is null where
    there are several.

    `reason` says why it was skipped (overlap, misfire, paused, disabled, outside_window, limit, clock_change; more may
    come); `explanation` is that, or how it fired, in words. `missedCount` earlier instants were skipped in favour of
    this one. `runStatus` is null once the run is forgotten. `busyRunId` is the run that was still open; `calendar`
    names the one that excludes it. `moved`: the clocks skipped its wall time, and it fired at the end of the gap.
    `version` is that of the rules in force. `backfilled` are those of its instants that were made up for later: the
    verdict stays what it was."""

    instant: datetime | None
    first: datetime
    last: datetime
    count: int
    verdict: Verdict
    reason: str | None
    explanation: str
    moved: bool
    missed_count: int
    decided_at: datetime
    run_id: UUID | None
    run_status: Status | None
    busy_run_id: UUID | None
    calendar: str | None
    version: int
    cron_expression: str | None
    time_zone: str | None
    tzdata: str
    backfilled: list[BackfilledTickDto]


class UpcomingTickDto(Wire):
    """An instant that has no verdict yet: it is still ahead, or it is past and undecided."""

    instant: datetime
    state: Upcoming
    explanation: str


class AskedInstantDto(Wire):
    """What became of the instant that was asked about. `isExpected`: the expression then in force comes to it. `state`
    says how far that is known; `verdict` is there when it is decided; it is `backfilled` for one
    that was made up for and has no other. `nextInstant` is the expression's next one after it."""

    instant: datetime
    is_expected: bool
    state: State
    verdict: TickVerdict | None
    explanation: str
    next_instant: datetime | None
    version: int | None
    cron_expression: str | None
    time_zone: str | None
    backfilled: BackfilledTickDto | None = None


class ScheduledJobTickPage(Page[ScheduledJobTickDto]):
    """`upcoming` are the first few instants of the asked span without a verdict; `at` answers about one instant, if
    asked. `backfilled` are instants of the span that were made up for on request though there is no verdict on them, at
    most 200."""

    upcoming: list[UpcomingTickDto]
    backfilled: list[BackfilledTickDto]
    at: AskedInstantDto | None
