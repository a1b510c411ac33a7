"""Schedule: when a job recurs. Commands in the imperative, events in the past tense; times are UTC.

A library has one schedule of its own, whose id is derived from the library's: it follows the library, is disabled
while autoScan is off, and what it is told directly the library follows in turn; the later word wins. Any number of
further schedules of the library follow only its name and path, and go when it goes.
"""

from datetime import datetime
from uuid import UUID

from linstock.messages.library import DEFAULT_EXTENSIONS, RemovalGuard, Settings
from linstock.messages.message import Message
from linstock.messages.rules import CalendarDays, Rules, Timing


class ScanTarget(Message, frozen=True):
    """What a library's schedule asks for when it fires."""

    library_id: UUID
    library_name: str
    library_path: str
    include_subfolders: bool = True
    exclude_patterns: tuple[str, ...] = ()
    extensions: tuple[str, ...] = DEFAULT_EXTENSIONS
    guard: RemovalGuard = RemovalGuard()
    purge_missing_after_days: int = 0


class ScanPath(Message, frozen=True):
    """A folder or file, relative to the library's root, whose scan is wanted. `path_bytes` is set only when it is not
    UTF-8; then it counts."""

    path: str
    path_bytes: bytes | None = None


class Backoff(Message, frozen=True):
    """Delays that grow: the n-th retry comes `first_s` × `factor`^(n-1) seconds after the failure, but at most
    `most_s`. Up to `jitter` (a part, 0 to 1) of it is taken off, so that jobs that failed together do not come back
    together; how much follows from the job and the attempt, so that whoever works it out finds the same."""

    first_s: float = 10.0
    factor: float = 2.0
    most_s: float = 3600.0
    jitter: float = 0.1


class JobPolicy(Message, frozen=True):
    """How jobs are run. `max_retries` retries follow the first attempt, each after the next delay (the last delay
    repeats), or as `backoff` says; every attempt has `timeout_s` seconds. Only failures of the classes in `retry_on`
    are retried (empty: all), and none of those in `never_on`; a class is meant with all that derive from it.
    `exhausted` says where a job is kept that has failed for good: fail (among the failed ones) | dead (apart, until
    somebody looks) | hide (listed nowhere by itself). Nothing of it is deleted."""

    priority: int = 5
    timeout_s: int = 3600
    max_retries: int = 3
    retry_delays_s: tuple[float, ...] = (10, 30, 60)
    backoff: Backoff | None = None
    retry_on: tuple[str, ...] = ()
    never_on: tuple[str, ...] = ()
    exhausted: str = "fail"


# Commands: of its library, its calendars and the ticker; those of people are in `schedule_commands.py`


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
