"""What a schedule can be, and how events change it.

`library_version` orders what it hears of its library, so a delivery that is late or comes twice changes nothing.
`cursor` is the instant up to which every tick is decided; it never moves back.
"""

from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from msgspec.structs import replace

from linstock import names
from linstock.messages.message import Message
from linstock.messages.rules import Rules, Timing
from linstock.messages.schedule import (
    JobPolicy,
    ScanTarget,
    ScheduleBackfilled,
    ScheduleChanged,
    ScheduleDefined,
    ScheduleDeleted,
    ScheduleDisabled,
    ScheduleEnabled,
    ScheduleEvent,
    SchedulePaused,
    ScheduleResumed,
    TickFired,
    TicksSkipped,
)


class Undefined(Message, frozen=True, tag="undefined"):
    """Its library was not heard of yet."""


class Live(Message, frozen=True):
    """What every defined schedule has. `version` counts the editions of its rules, `edition` every event but ticks.
    `auto_scan_at` and `timing_at` say when it was last switched and timed, by whomever. `runs`: how often it fired
    since it was last enabled."""

    schedule_id: UUID
    name: str
    description: str
    timing: Timing
    target: ScanTarget
    policy: JobPolicy
    scan_mode: str
    library_version: int
    version: int
    edition: int
    cursor: datetime
    auto_scan_at: datetime
    timing_at: datetime
    rules: Rules
    runs: int

    @property
    def own(self) -> bool:
        """Whether it is the library's own one, which the library's autoScan switches."""
        return self.schedule_id == names.schedule_of(self.target.library_id)

    @property
    def own_library_id(self) -> UUID | None:
        """The library whose own schedule it is."""
        return self.target.library_id if self.own else None


class Enabled(Live, frozen=True, tag="enabled"):
    """It ticks."""


class Disabled(Live, frozen=True, tag="disabled"):
    """It does not tick; its history stays. `why` is asked | limit."""

    why: str = "asked"


class Paused(Live, frozen=True, tag="paused"):
    """It is on, and does not tick until it is resumed."""

    since: datetime
    reason: str
    resume_at: datetime | None


Existing = Enabled | Disabled | Paused
ScheduleEdited = ScheduleChanged | ScheduleEnabled | ScheduleDisabled | SchedulePaused | ScheduleResumed


class Deleted(Message, frozen=True, tag="deleted"):
    """`last` is what it was, if somebody asked for its end: a library's own schedule may come back. None: its library
    is gone, and what arrives later about it changes nothing, even when it is the definition."""

    library_version: int
    edition: int
    last: Disabled | None = None


Schedule = Undefined | Enabled | Disabled | Paused | Deleted


def initial() -> Schedule:
    return Undefined()


def evolve(schedule: Schedule, event: ScheduleEvent) -> Schedule:
    match event:
        case ScheduleDefined():
            return _defined(event, schedule)
        case ScheduleDeleted():
            return _deleted(event, schedule)
        case _ if isinstance(schedule, Undefined | Deleted):
            return schedule
        case TickFired(instant=instant):
            return replace(schedule, cursor=max(schedule.cursor, instant), runs=schedule.runs + 1)
        case TicksSkipped(last=instant):
            return replace(schedule, cursor=max(schedule.cursor, instant))
        case ScheduleBackfilled():
            return schedule
        case _:
            return _edited(event, schedule)


def _edited(event: ScheduleEdited, schedule: Existing) -> Existing:
    match event:
        case ScheduleChanged():
            return _changed(event, schedule)
        case ScheduleEnabled(library_version=library_version, cursor=cursor, auto_scan_at=at):
            runs = 0 if isinstance(schedule, Disabled) else schedule.runs
            fields = _live(schedule) | {"cursor": cursor, "runs": runs}
            return Enabled(**fields | _said(schedule, library_version, at or cursor))
        case ScheduleDisabled(library_version=library_version, at=at, auto_scan_at=auto_scan_at, reason=reason):
            return disabled(schedule, library_version=library_version, at=auto_scan_at or at, why=reason)
        case SchedulePaused(at=at, reason=reason, resume_at=resume_at):
            since = schedule.since if isinstance(schedule, Paused) else at
            fields = _live(schedule) | {"edition": schedule.edition + 1}
            return Paused(**fields, since=since, reason=reason, resume_at=resume_at)
        case ScheduleResumed(cursor=cursor):
            return Enabled(**_live(schedule) | {"edition": schedule.edition + 1, "cursor": cursor})
        case _:
            assert_never(event)


def disabled(schedule: Existing, *, library_version: int, at: datetime, why: str = "asked") -> Disabled:
    return Disabled(**_live(schedule) | _said(schedule, library_version, at), why=why)


def _live(schedule: Existing) -> dict[str, Any]:
    return {field: getattr(schedule, field) for field in Live.__struct_fields__}


def _said(schedule: Existing, library_version: int, at: datetime) -> dict[str, Any]:
    """It was switched, at `at`."""
    return {"library_version": library_version, "edition": schedule.edition + 1, "auto_scan_at": at}


def _defined(event: ScheduleDefined, before: Schedule) -> Enabled | Disabled:
    again = before.last if isinstance(before, Deleted) else None
    return (Enabled if event.enabled else Disabled)(
        schedule_id=event.schedule_id,
        name=event.name,
        description=event.description,
        timing=event.timing,
        target=event.target,
        policy=event.policy,
        scan_mode=event.scan_mode,
        library_version=event.library_version,
        version=again.version + 1 if again else 1,
        edition=before.edition + 1 if isinstance(before, Deleted) else 1,
        cursor=event.cursor,
        auto_scan_at=event.auto_scan_at or event.cursor,
        timing_at=event.timing_at or event.cursor,
        rules=event.rules,
        runs=0,
    )


def _changed(event: ScheduleChanged, schedule: Existing) -> Existing:
    return replace(
        schedule,
        name=event.name,
        description=event.description,
        timing=event.timing,
        target=event.target,
        policy=event.policy or schedule.policy,
        scan_mode=event.scan_mode or schedule.scan_mode,
        version=event.version,
        edition=schedule.edition + 1,
        library_version=event.library_version,
        cursor=event.cursor,
        timing_at=event.timing_at or schedule.timing_at,
        rules=event.rules or schedule.rules,
    )


def _deleted(event: ScheduleDeleted, schedule: Schedule) -> Schedule:
    edition = 1 if isinstance(schedule, Undefined) else schedule.edition + 1
    if event.reason != "asked" or isinstance(schedule, Undefined):
        return Deleted(library_version=event.library_version, edition=edition)
    last = schedule.last if isinstance(schedule, Deleted) else schedule
    if last is not None:
        at = event.auto_scan_at or last.auto_scan_at
        last = disabled(last, library_version=event.library_version, at=at)
    return Deleted(library_version=event.library_version, edition=edition, last=last)
