"""Schedule: when a job recurs. Commands in the imperative, events in the past tense; times are UTC.

A library has one schedule of its own, whose id is derived from the library's: it follows the library, is disabled
while autoScan is off, and what it is told directly the library follows in turn; the later word wins. Any number of
further schedules of the library follow only its name and path, and go when it goes.
"""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from linstock.messages.library import DEFAULT_EXTENSIONS, RemovalGuard, Settings
from linstock.messages.message import Message
from linstock.messages.rules import CalendarDays, ChangedRules, Rules, Timing


class ScanTarget(Message, frozen=True):
    """What a library's schedule asks for when it fires."""

    library_id: UUID
    library_name: str
    library_path: str
    include_subfolders: bool = True
    exclude_patterns: tuple[str, ...] = ()
    extensions: tuple[str, ...] = DEFAULT_EXTENSIONS
    guard: RemovalGuard = RemovalGuard()


class ScanPath(Message, frozen=True):
    """A folder or file, relative to the library's root, whose scan is wanted. `path_bytes` is set only when it is not
    UTF-8; then it counts."""

    path: str
    path_bytes: bytes | None = None


class JobPolicy(Message, frozen=True):
    """How the jobs of a schedule are run. `max_retries` retries follow the first attempt, each after the next delay
    (the last delay repeats); every attempt has `timeout_s` seconds."""

    priority: int = 5
    timeout_s: int = 3600
    max_retries: int = 3
    retry_delays_s: tuple[int, ...] = (10, 30, 60)


# Commands


class FollowLibrary(Message, frozen=True, tag="FollowLibrary"):
    """The library has these settings now. `library_version` orders them: an older one than last followed is ignored."""

    schedule_id: UUID
    library_id: UUID
    library_version: int
    settings: Settings
    at: datetime
    auto_scan_at: datetime | None = None  # when the library was told; None: unknown, taken as `at`
    timing_at: datetime | None = None
    tzdata: str = ""


class ForgetLibrary(Message, frozen=True, tag="ForgetLibrary"):
    """The library was deleted; the schedule hears of it at `at`."""

    schedule_id: UUID
    library_version: int
    at: datetime
    tzdata: str = ""


class FollowCalendar(Message, frozen=True, tag="FollowCalendar"):
    """A calendar of which the schedule keeps a copy is this now. A newer copy stays."""

    schedule_id: UUID
    calendar: CalendarDays
    at: datetime
    tzdata: str


class Passed(Message, frozen=True):
    """`count` instants from `first` to `last` that do not fire, and why. `calendar` is the one that excludes them."""

    first: datetime
    last: datetime
    count: int
    reason: str
    calendar: str = ""


class Tick(Message, frozen=True, tag="Tick"):
    """These instants (ascending, all after the cursor, none in the future of `now`) are due and may fire; the schedule
    decides which of them do. `busy` names the job that still runs for this schedule, if any. None are due while it is
    only to pause or to resume, or while all that is due lies in `passed`."""

    instants: tuple[datetime, ...]
    now: datetime
    busy: UUID | None
    tzdata: str
    passed: tuple[Passed, ...] = ()  # due as well, before, between and after `instants`: none of them fires
    open: tuple[UUID, ...] = ()  # all that `busy` is the first of
    waiting: int = 0  # how many of these wait for their turn
    failures: int = 0  # of its latest runs, in a row


class RequestScan(Message, frozen=True, tag="RequestScan"):
    """Scan a library now, whatever its schedule says. The job's id is uuid5 of the command's id. `scope` and `dry_run`
    are as in ScanRequested."""

    library_id: UUID
    triggered_by: str = "API"
    scan_mode: str = "changed"
    scope: tuple[ScanPath, ...] = ()
    dry_run: bool = False


class CreateSchedule(Message, frozen=True, tag="CreateSchedule"):
    """A further schedule of a library; of a library whose own schedule was deleted, that one again. Its id, if it is a
    further one, is uuid5 of the command's. Empty `name` and `description`: made from the library's name."""

    library_id: UUID
    timing: Timing
    name: str = ""
    description: str = ""
    enabled: bool = True
    policy: JobPolicy = JobPolicy()
    scan_mode: str = "changed"
    rules: Rules = Rules()
    calendars: tuple[str, ...] = ()  # by name: the owner knows their days


class ChangeSchedule(Message, frozen=True, tag="ChangeSchedule"):
    """Only what is set changes. `if_versions`: refused (412) unless the schedule's edition is one of them; empty: any.
    `enabled` switches it as EnableSchedule and DisableSchedule do. `calendars` are named; their days are the owner's to
    know. `restored`: this is what that version was."""

    schedule_id: UUID
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    expression: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    timeout_s: int | UnsetType = UNSET
    max_retries: int | UnsetType = UNSET
    scan_mode: str | UnsetType = UNSET
    days: str | UnsetType = UNSET
    clock_changes: str | UnsetType = UNSET
    rules: ChangedRules = ChangedRules()
    calendars: tuple[str, ...] | UnsetType = UNSET
    if_versions: tuple[int, ...] = ()
    restored: int | None = None


class EnableSchedule(Message, frozen=True, tag="EnableSchedule"):
    schedule_id: UUID
    if_versions: tuple[int, ...] = ()


class DisableSchedule(Message, frozen=True, tag="DisableSchedule"):
    schedule_id: UUID
    if_versions: tuple[int, ...] = ()


class PauseSchedule(Message, frozen=True, tag="PauseSchedule"):
    """Fire no more until somebody resumes it, or until `resume_at`. Paused already: with this reason and time from now
    on. It stays what its library calls on: a pause is nothing the library hears of."""

    schedule_id: UUID
    reason: str = ""
    resume_at: datetime | None = None
    if_versions: tuple[int, ...] = ()


class ResumeSchedule(Message, frozen=True, tag="ResumeSchedule"):
    """Fire again, from now on."""

    schedule_id: UUID
    if_versions: tuple[int, ...] = ()


class Which(Message, frozen=True):
    """Schedules of a workspace: those that all of this says. `text` is part of the name, the description or the
    library's name, whatever its case. `everything`: nothing else is said."""

    ids: tuple[UUID, ...] | None = None
    library_id: UUID | None = None
    text: str = ""
    everything: bool = False


class PauseSchedules(Message, frozen=True, tag="PauseSchedules"):
    """As PauseSchedule, all of them or none. What is disabled, or paused for at least as long, stays as it is.
    `dry_run`: only say what would be done."""

    which: Which
    reason: str = ""
    resume_at: datetime | None = None
    dry_run: bool = False


class ResumeSchedules(Message, frozen=True, tag="ResumeSchedules"):
    """As ResumeSchedule, all that are paused or none."""

    which: Which
    dry_run: bool = False


class DeleteSchedule(Message, frozen=True, tag="DeleteSchedule"):
    """Its runs stay. A library's own schedule comes back when autoScan is switched on again."""

    schedule_id: UUID
    if_versions: tuple[int, ...] = ()


class TriggerSchedule(Message, frozen=True, tag="TriggerSchedule"):
    """Run it now, also while it is disabled. The job's id is uuid5 of the command's. Its mode, if not given, is the
    schedule's."""

    schedule_id: UUID
    triggered_by: str = "API"
    scan_mode: str | UnsetType = UNSET


class BackfillSchedule(Message, frozen=True, tag="BackfillSchedule"):
    """Make up for the instants from `first` to `last`, both included, to which the expression in force comes: each that
    never had a run gets one. Refused (422) when there are more than `limit`. `dry_run`: only say what it would do."""

    schedule_id: UUID
    first: datetime
    last: datetime
    limit: int = 200
    dry_run: bool = False


ScheduleCommand = FollowLibrary | ForgetLibrary | FollowCalendar | Tick


# Events


class ScheduleDefined(Message, frozen=True, tag="linstock.schedule.defined.v1"):
    """`cursor` is the instant up to which ticks count as decided: the first tick comes after it."""

    schedule_id: UUID
    name: str
    description: str
    timing: Timing
    target: ScanTarget
    enabled: bool
    library_version: int
    cursor: datetime
    policy: JobPolicy = JobPolicy()
    scan_mode: str = "changed"
    auto_scan_at: datetime | None = None
    timing_at: datetime | None = None
    rules: Rules = Rules()


class ScheduleChanged(Message, frozen=True, tag="linstock.schedule.changed.v1"):
    """Raises the schedule's version, unless it only says that a newer `library_version` changed nothing here. Instants
    up to `cursor` are never fired (again) under the new timing."""

    schedule_id: UUID
    version: int
    name: str
    description: str
    timing: Timing
    target: ScanTarget
    library_version: int
    cursor: datetime
    policy: JobPolicy | None = None  # None: as before
    scan_mode: str | None = None
    timing_at: datetime | None = None  # when the timing was decided; None: it did not change
    rules: Rules | None = None  # None: as before
    restored: int | None = None  # which version this brings back


class ScheduleEnabled(Message, frozen=True, tag="linstock.schedule.enabled.v1"):
    """Instants between the disabling and `cursor` are not made up for. `library_id` is set for a library's own
    schedule; `auto_scan_at`: when this was decided, there or here (None: there, before this was kept)."""

    schedule_id: UUID
    library_version: int
    cursor: datetime
    auto_scan_at: datetime | None = None
    library_id: UUID | None = None


class ScheduleDisabled(Message, frozen=True, tag="linstock.schedule.disabled.v1"):
    """`reason` is asked | limit (it ran as often as it may)."""

    schedule_id: UUID
    library_version: int
    at: datetime
    auto_scan_at: datetime | None = None
    library_id: UUID | None = None
    reason: str = "asked"


class SchedulePaused(Message, frozen=True, tag="linstock.schedule.paused.v1"):
    """Whoever appended it paused it; that is the scheduler itself after too many failures in a row."""

    schedule_id: UUID
    at: datetime
    reason: str = ""
    resume_at: datetime | None = None


class ScheduleResumed(Message, frozen=True, tag="linstock.schedule.resumed.v1"):
    """Instants up to `cursor` are not made up for."""

    schedule_id: UUID
    at: datetime
    cursor: datetime


class ScheduleDeleted(Message, frozen=True, tag="linstock.schedule.deleted.v1"):
    """`reason` is library_deleted (for good) | asked (a library's own schedule may be defined again)."""

    schedule_id: UUID
    library_version: int
    reason: str = "library_deleted"
    auto_scan_at: datetime | None = None
    library_id: UUID | None = None


class TickFired(Message, frozen=True, tag="linstock.schedule.tick_fired.v1"):
    """Exactly one per schedule and instant. `verdict` is fired | late | caught_up; `missed_count` earlier instants
    were skipped in its favour. `version` and `tzdata` say which rules produced the instant. `moved`: the clocks skipped
    its wall time, so it fired at the end of the gap. `behind` is the open job that its own waits for; `cancels` were
    cancelled for it."""

    schedule_id: UUID
    instant: datetime
    job_id: UUID
    verdict: str
    missed_count: int
    version: int
    tzdata: str
    moved: bool = False
    behind: UUID | None = None
    cancels: tuple[UUID, ...] = ()


class ScheduleBackfilled(Message, frozen=True, tag="linstock.schedule.backfilled.v1"):
    """Somebody asked for the runs of past `instants` (ascending) between `first` and `last`: the job of each is the one
    that its tick would have had, and its request is appended together with this. What was decided about these instants
    stays, and neither the cursor nor the number of runs changes."""

    schedule_id: UUID
    at: datetime
    first: datetime
    last: datetime
    instants: tuple[datetime, ...]
    version: int
    tzdata: str


class TicksSkipped(Message, frozen=True, tag="linstock.schedule.ticks_skipped.v1"):
    """A run of `count` instants from `first` to `last` (both included) that did not fire. `reason` is overlap |
    misfire | paused | disabled | outside_window | limit | clock_change; for overlap, `busy` names the job that was
    still open; for outside_window, `calendar` the calendar whose days they are on, if that is why."""

    schedule_id: UUID
    first: datetime
    last: datetime
    count: int
    reason: str
    busy: UUID | None
    version: int
    tzdata: str
    calendar: str = ""


ScheduleEvent = (
    ScheduleDefined
    | ScheduleChanged
    | ScheduleEnabled
    | ScheduleDisabled
    | SchedulePaused
    | ScheduleResumed
    | ScheduleDeleted
    | TickFired
    | TicksSkipped
    | ScheduleBackfilled
)
