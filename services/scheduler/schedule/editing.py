"""What people do to a schedule directly. `at` is when they did, by the scheduler's clock."""

from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from linstock.messages.rules import Rules, Timing
from linstock.messages.schedule import (
    JobPolicy,
    ScanTarget,
    ScheduleChanged,
    ScheduleDefined,
    ScheduleDeleted,
    ScheduleDisabled,
    ScheduleEnabled,
    ScheduleEvent,
    SchedulePaused,
    ScheduleResumed,
)
from linstock.messages.schedule_commands import (
    ChangeSchedule,
    CreateSchedule,
    DeleteSchedule,
    DisableSchedule,
    EnableSchedule,
    PauseSchedule,
    ResumeSchedule,
)
from services.scheduler.schedule.following import description_of, name_of
from services.scheduler.schedule.passing import passed
from services.scheduler.schedule.states import Deleted, Disabled, Enabled, Existing, Paused, Schedule, Undefined, evolve

MOMENT = timedelta(microseconds=1)

Edit = ChangeSchedule | EnableSchedule | DisableSchedule | PauseSchedule | ResumeSchedule | DeleteSchedule


class NoSuchSchedule(Exception):
    """This schedule does not exist, or was deleted."""


class NotOn(Exception):
    """The schedule is disabled: it can be paused and resumed only while it is on."""


class OtherEdition(Exception):
    """The schedule was changed since: its edition is {edition}."""

    def __init__(self, edition: int) -> None:
        super().__init__((self.__doc__ or "").format(edition=edition))
        self.edition = edition


def create(
    command: CreateSchedule, schedule: Schedule, *, schedule_id: UUID, target: ScanTarget, version: int, at: datetime
) -> list[ScheduleEvent]:
    """A schedule for the library that `target` names, known as of its `version`. The id is derived from the command or
    the library: one that lives already came from this very command."""
    if isinstance(schedule, Existing):
        return []
    last = schedule.last if isinstance(schedule, Deleted) else None
    return [
        ScheduleDefined(
            schedule_id=schedule_id,
            name=command.name or name_of(target.library_name),
            description=command.description or description_of(target.library_name),
            timing=command.timing,
            target=target,
            enabled=command.enabled,
            library_version=version,
            cursor=at,
            policy=command.policy,
            scan_mode=command.scan_mode,
            auto_scan_at=_newer(at, last.auto_scan_at) if last else at,
            timing_at=_newer(at, last.timing_at) if last else at,
            rules=command.rules,
        )
    ]


def edit(command: Edit, schedule: Schedule, *, at: datetime, tzdata: str) -> list[ScheduleEvent]:
    """Raises NoSuchSchedule, OtherEdition, NotOn."""
    if isinstance(schedule, Undefined):
        raise NoSuchSchedule
    if isinstance(schedule, Deleted):
        if isinstance(command, DeleteSchedule):
            return []
        raise NoSuchSchedule
    if command.if_versions and schedule.edition not in command.if_versions:
        raise OtherEdition(schedule.edition)
    return _edit(command, schedule, at, tzdata)


def _edit(command: Edit, schedule: Existing, at: datetime, tzdata: str) -> list[ScheduleEvent]:
    match command:
        case DeleteSchedule():
            return [*passed(schedule, at, tzdata), *_delete(schedule, at)]
        case EnableSchedule():
            return _switch(schedule, True, at, tzdata)
        case DisableSchedule():
            return _switch(schedule, False, at, tzdata)
        case PauseSchedule():
            return _pause(command, schedule, at)
        case ResumeSchedule():
            return _resume(schedule, at, tzdata)
        case ChangeSchedule(enabled=enabled):
            changed = _change(command, schedule, at, tzdata)
            after: Schedule = schedule
            for event in changed:
                after = evolve(after, event)
            return changed if enabled is UNSET else [*changed, *_switch(after, enabled, at, tzdata)]
        case _:
            assert_never(command)


def _delete(schedule: Existing, at: datetime) -> list[ScheduleEvent]:
    return [
        ScheduleDeleted(
            schedule_id=schedule.schedule_id,
            library_version=schedule.library_version,
            reason="asked",
            auto_scan_at=_newer(at, schedule.auto_scan_at),
            library_id=schedule.own_library_id,
        )
    ]


def _switch(schedule: Schedule, on: bool, at: datetime, tzdata: str) -> list[ScheduleEvent]:
    """Of a library's own schedule also a word that changes nothing is kept: an older one of the library's, which says
    otherwise, may still be on its way. On ends a pause."""
    assert isinstance(schedule, Existing)
    same = isinstance(schedule, Enabled if on else Disabled)
    if same and not schedule.own:
        return []
    said_at = _newer(at, schedule.auto_scan_at)
    if on:
        cursor = schedule.cursor if isinstance(schedule, Enabled) else max(schedule.cursor, at)
        return [
            *([] if same else passed(schedule, at, tzdata)),
            ScheduleEnabled(
                schedule_id=schedule.schedule_id,
                library_version=schedule.library_version,
                cursor=cursor,
                auto_scan_at=said_at,
                library_id=schedule.own_library_id,
            ),
        ]
    return [
        *(passed(schedule, at, tzdata) if isinstance(schedule, Paused) else []),
        ScheduleDisabled(
            schedule_id=schedule.schedule_id,
            library_version=schedule.library_version,
            at=at,
            auto_scan_at=said_at,
            library_id=schedule.own_library_id,
        ),
    ]


def _pause(command: PauseSchedule, schedule: Existing, at: datetime) -> list[ScheduleEvent]:
    if isinstance(schedule, Disabled):
        raise NotOn
    if isinstance(schedule, Paused) and (schedule.reason, schedule.resume_at) == (command.reason, command.resume_at):
        return []
    return [SchedulePaused(schedule_id=schedule.schedule_id, at=at, reason=command.reason, resume_at=command.resume_at)]


def _resume(schedule: Existing, at: datetime, tzdata: str) -> list[ScheduleEvent]:
    if isinstance(schedule, Disabled):
        raise NotOn
    if isinstance(schedule, Enabled):
        return []
    resumed = ScheduleResumed(schedule_id=schedule.schedule_id, at=at, cursor=max(schedule.cursor, at))
    return [*passed(schedule, at, tzdata), resumed]


def _change(command: ChangeSchedule, schedule: Existing, at: datetime, tzdata: str) -> list[ScheduleEvent]:
    """New timing, and new times at which it may fire, are never applied to instants that are past."""
    after = _changed(command, schedule)
    if after == schedule:
        return []
    retimed = after.timing != schedule.timing
    anew = retimed or _windows(after) != _windows(schedule)
    return [
        *(passed(schedule, at, tzdata) if anew else []),
        ScheduleChanged(
            schedule_id=schedule.schedule_id,
            version=schedule.version + 1,
            name=after.name,
            description=after.description,
            timing=after.timing,
            target=schedule.target,
            library_version=schedule.library_version,
            cursor=max(schedule.cursor, at) if anew else schedule.cursor,
            policy=after.policy,
            scan_mode=after.scan_mode,
            timing_at=_newer(at, schedule.timing_at) if retimed else None,
            rules=after.rules,
            restored=command.restored,
        ),
    ]


def _windows(schedule: Existing) -> tuple[object, ...]:
    rules = schedule.rules
    return rules.starts_at, rules.ends_at, rules.excluded, rules.calendars


def _changed(command: ChangeSchedule, schedule: Existing) -> Existing:
    timing, policy = schedule.timing, schedule.policy
    given = {field: getattr(command.rules, field) for field in Rules.__struct_fields__}
    return replace(
        schedule,
        name=schedule.name if command.name is UNSET else command.name,
        description=schedule.description if command.description is UNSET else command.description,
        timing=Timing(
            expression=timing.expression if command.expression is UNSET else command.expression,
            zone=timing.zone if command.zone is UNSET else command.zone,
            days=timing.days if command.days is UNSET else command.days,
            clock_changes=timing.clock_changes if command.clock_changes is UNSET else command.clock_changes,
        ),
        rules=replace(schedule.rules, **{field: value for field, value in given.items() if value is not UNSET}),
        policy=JobPolicy(
            priority=policy.priority if command.priority is UNSET else command.priority,
            timeout_s=policy.timeout_s if command.timeout_s is UNSET else command.timeout_s,
            max_retries=policy.max_retries if command.max_retries is UNSET else command.max_retries,
            retry_delays_s=policy.retry_delays_s,
        ),
        scan_mode=schedule.scan_mode if command.scan_mode is UNSET else command.scan_mode,
    )


def _newer(at: datetime, than: datetime) -> datetime:
    """A word said here is newer than any heard of, also when the library's clock is ahead of ours."""
    return max(at, than + MOMENT)
