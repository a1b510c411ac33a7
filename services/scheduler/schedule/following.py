"""What a library does to its schedules.

Its own schedule holds two words that both may say: whether it is on (the library's autoScan), and its timing. Each word
carries the time it was said at; the later one counts, here and in the library (`services/library/library.py`), so both
end up with the same whatever comes late, twice or crosses on the way.
"""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from linstock.messages.library import Settings
from linstock.messages.rules import Timing
from linstock.messages.schedule import (
    FollowLibrary,
    ForgetLibrary,
    JobPolicy,
    ScanTarget,
    ScheduleChanged,
    ScheduleDefined,
    ScheduleDeleted,
    ScheduleDisabled,
    ScheduleEnabled,
    ScheduleEvent,
)
from services.scheduler.schedule.passing import passed
from services.scheduler.schedule.states import Deleted, Disabled, Enabled, Existing, Paused, Schedule, Undefined, evolve

NEW = Timing(expression="", zone="")


def follow(command: FollowLibrary, schedule: Schedule) -> list[ScheduleEvent]:
    match schedule:
        case Undefined():
            return [_definition(command)]
        case Deleted():
            return _follow_deleted(command, schedule)
        case Enabled() | Disabled() | Paused():
            if command.library_version <= schedule.library_version:
                return []
            changed = _change(command, schedule)
            after: Schedule = schedule
            for event in changed:
                after = evolve(after, event)
            assert isinstance(after, Existing)
            return [*changed, *_switch(command, after)]
        case _:
            assert_never(schedule)


def forget(command: ForgetLibrary, schedule: Schedule) -> list[ScheduleEvent]:
    if isinstance(schedule, Deleted) and schedule.last is None:
        return []
    before = passed(schedule, command.at, command.tzdata) if isinstance(schedule, Existing) else []
    return [*before, ScheduleDeleted(schedule_id=command.schedule_id, library_version=command.library_version)]


def name_of(library_name: str) -> str:
    return f"Library Scan - {library_name}"


def description_of(library_name: str) -> str:
    return f"Automatic scan for library: {library_name}"


def _definition(command: FollowLibrary, policy: JobPolicy | None = None) -> ScheduleDefined:
    settings = command.settings
    return ScheduleDefined(
        schedule_id=command.schedule_id,
        name=name_of(settings.name),
        description=description_of(settings.name),
        timing=_timing(settings),
        target=_target(command),
        enabled=settings.auto_scan,
        library_version=command.library_version,
        cursor=command.at,
        policy=policy or JobPolicy(),
        auto_scan_at=_switched_at(command),
        timing_at=_timed_at(command),
    )


def _follow_deleted(command: FollowLibrary, schedule: Deleted) -> list[ScheduleEvent]:
    """Switched on again after it was deleted, it comes back as the library has it."""
    if schedule.last is None or command.library_version <= schedule.library_version:
        return []
    if command.settings.auto_scan and _switched_at(command) > schedule.last.auto_scan_at:
        return [_definition(command, schedule.last.policy)]
    # Every newer library version leaves an event: an older one that arrives later must find it.
    at = max(_switched_at(command), schedule.last.auto_scan_at)
    return [
        ScheduleDeleted(
            schedule_id=command.schedule_id,
            library_version=command.library_version,
            reason="asked",
            auto_scan_at=at,
            library_id=schedule.last.own_library_id,
        )
    ]


def _change(command: FollowLibrary, schedule: Existing) -> list[ScheduleEvent]:
    """Every newer library version leaves an event, also when nothing of it concerns us: an older one that arrives
    later must find it. That is no new version of the schedule; what it said itself comes back to it so."""
    old, new = schedule.target.library_name, command.settings.name
    # A name that somebody gave it stays.
    name = name_of(new) if schedule.name == name_of(old) else schedule.name
    described = schedule.description == description_of(old)
    description = description_of(new) if described else schedule.description
    retimed = schedule.own and _timed_at(command) >= schedule.timing_at
    timing = _timing(command.settings, schedule.timing) if retimed else schedule.timing
    target = _target(command)
    same = (name, description, timing, target) == (
        schedule.name, schedule.description, schedule.timing, schedule.target,
    )  # fmt: skip
    if same and _switch(command, schedule):
        return []
    # Only new timing makes past instants meaningless; a new name must not swallow a tick that is due.
    anew = timing != schedule.timing
    return [
        *(passed(schedule, command.at, command.tzdata) if anew else []),
        ScheduleChanged(
            schedule_id=schedule.schedule_id,
            version=schedule.version if same else schedule.version + 1,
            name=name,
            description=description,
            timing=timing,
            target=target,
            library_version=command.library_version,
            cursor=max(schedule.cursor, command.at) if anew else schedule.cursor,
            timing_at=_timed_at(command) if retimed else None,
        ),
    ]


def _switch(command: FollowLibrary, schedule: Existing) -> list[ScheduleEvent]:
    """A later word counts even when it says the same: an earlier one that arrives after it must find that."""
    at, wanted, is_on = _switched_at(command), command.settings.auto_scan, not isinstance(schedule, Disabled)
    # Said at the very same time, off counts: what does not run can be switched on again, not the other way round.
    later = at > schedule.auto_scan_at or (at == schedule.auto_scan_at and is_on and not wanted)
    untimed = wanted == is_on and command.auto_scan_at is None
    paused_since = isinstance(schedule, Paused) and wanted and at <= schedule.since
    if not schedule.own or not later or untimed or paused_since:
        return []
    if wanted:
        return [
            *([] if isinstance(schedule, Enabled) else passed(schedule, command.at, command.tzdata)),
            ScheduleEnabled(
                schedule_id=command.schedule_id,
                library_version=command.library_version,
                cursor=schedule.cursor if isinstance(schedule, Enabled) else max(schedule.cursor, command.at),
                auto_scan_at=at,
                library_id=schedule.own_library_id,
            ),
        ]
    return [
        *(passed(schedule, command.at, command.tzdata) if isinstance(schedule, Paused) else []),
        ScheduleDisabled(
            schedule_id=command.schedule_id,
            library_version=command.library_version,
            at=command.at,
            auto_scan_at=at,
            library_id=schedule.own_library_id,
        ),
    ]


def _switched_at(command: FollowLibrary) -> datetime:
    return command.auto_scan_at or command.at


def _timed_at(command: FollowLibrary) -> datetime:
    return command.timing_at or command.at


def _timing(settings: Settings, before: Timing = NEW) -> Timing:
    """What the library knows nothing of stays."""
    return replace(before, expression=settings.cron_expression, zone=settings.time_zone)


def _target(command: FollowLibrary) -> ScanTarget:
    settings = command.settings
    return ScanTarget(
        library_id=command.library_id,
        library_name=settings.name,
        library_path=settings.path,
        include_subfolders=settings.include_subfolders,
        exclude_patterns=settings.exclude_patterns,
        extensions=settings.extensions,
        guard=settings.guard,
        purge_missing_after_days=settings.purge_missing_after_days,
    )
