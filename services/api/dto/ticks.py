"""The ledger over HTTP: what became of the instants at which a schedule was due."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar.params import BodyKwarg

from services.api.dto.schedules import Status
from services.api.dto.wire import Page, Wire

Verdict = Literal["fired", "late", "caught_up", "skipped"]
Upcoming = Literal["ahead", "undecided"]
State = Literal["decided", "ahead", "undecided", "not_expected", "unrecorded", "forgotten"]
Order = Literal["asc", "desc"]


class ScheduledJobTickDto(Wire):
    """One instant, or `count` of them from `first` to `last` that were skipped for one reason. `instant` is null where
    there are several.

    `reason` says why it was skipped (overlap, misfire, paused, disabled, outside_window, limit, clock_change; more may
    come); `explanation` is that, or how it fired, in words. `missedCount` earlier instants were skipped in favour of
    this one. `runStatus` is null once the run is forgotten. `busyRunId` is the run that was still open; `calendar`
    names the one that excludes it. `moved`: the clocks skipped its wall time, and it fired at the end of the gap.
    `version` is that of the rules in force."""

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


class UpcomingTickDto(Wire):
    """An instant that has no verdict yet: it is still ahead, or it is past and undecided."""

    instant: datetime
    state: Upcoming
    explanation: str


class AskedInstantDto(Wire):
    """What became of the instant that was asked about. `isExpected`: the expression then in force comes to it. `state`
    says how far that is known; `verdict` is there when it is decided. `nextInstant` is the expression's next one after
    it."""

    instant: datetime
    is_expected: bool
    state: State
    verdict: Verdict | None
    explanation: str
    next_instant: datetime | None
    version: int | None
    cron_expression: str | None
    time_zone: str | None


class ScheduledJobTickPage(Page[ScheduledJobTickDto]):
    """`upcoming` are the first few instants of the asked span without a verdict; `at` answers about one instant, if
    asked."""

    upcoming: list[UpcomingTickDto]
    at: AskedInstantDto | None


class ScheduledJobVersionDto(Wire):
    """`version` is what ticks name; `edition` is the schedule's own `version` at that edit, which counts switching on
    and off too. It was made at `since`, and replaced or deleted at `until`; null: it is in force. Instants up to
    `appliesAfter` are not its."""

    version: int
    edition: int
    name: str
    cron_expression: str
    time_zone: str
    calendars: list[str]
    since: datetime
    changed_by: str
    applies_after: datetime
    until: datetime | None
    deleted_by: str | None


ScheduledJobVersionPage = Annotated[
    Page[ScheduledJobVersionDto], BodyKwarg(schema_component_key="ScheduledJobVersionPage")
]
