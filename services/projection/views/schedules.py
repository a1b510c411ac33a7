"""Schedules: when what is asked for. From the scheduler log. A deleted one keeps its row: its runs still name it, and a
library's own one may be defined again."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.job import LIBRARY_SCAN
from linstock.messages.rules import Rules
from linstock.messages.schedule import (
    ScheduleBackfilled,
    ScheduleChanged,
    ScheduleDefined,
    ScheduleDeleted,
    ScheduleDisabled,
    ScheduleEnabled,
    SchedulePaused,
    ScheduleResumed,
    TickFired,
    TicksSkipped,
)
from services.projection.fact import Fact
from services.projection.rows import Rows

Edit = ScheduleChanged | ScheduleEnabled | ScheduleDisabled | SchedulePaused | ScheduleResumed | ScheduleDeleted


class Schedule(Struct, frozen=True):
    """`cursor`: instants up to it are decided. `edition` counts every event but ticks, as its owner does
    (`services/scheduler/schedule/states.py`); `rules_version` is what its ticks call their version, `tick_count` how
    many rows of the ledger it ever had. `calendars` names those that `rules` has copies of, a space between them."""

    schedule_id: UUID
    workspace: str
    name: str
    description: str
    job_type: str
    library_id: UUID | None
    expression: str
    zone: str
    enabled: bool
    cursor: datetime
    priority: int
    timeout_s: int
    max_retries: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    scan_mode: str
    edition: int
    created_by: str
    updated_by: str
    days: str
    clock_changes: str
    rules: str
    paused_at: datetime | None = None
    paused_by: str | None = None
    pause_reason: str | None = None
    resume_at: datetime | None = None
    rules_version: int = 1
    tick_count: int = 0
    calendars: str = ""


def rows() -> Rows[Schedule]:
    return Rows("schedules", Schedule, key=("schedule_id",))


def reads(fact: Fact) -> Iterable[UUID]:
    match fact.event:
        case (
            ScheduleDefined()
            | ScheduleChanged()
            | ScheduleEnabled()
            | ScheduleDisabled()
            | SchedulePaused()
            | ScheduleResumed()
            | ScheduleDeleted()
            | TickFired()
            | TicksSkipped()
            | ScheduleBackfilled() as event
        ):
            return (event.schedule_id,)
        case _:
            return ()


def fold(schedules: Rows[Schedule], fact: Fact) -> None:
    match fact.event:
        case ScheduleDefined() as event:
            schedules.put(_defined(event, schedules.get(event.schedule_id), fact))
        case TickFired(schedule_id=schedule_id, instant=instant) | TicksSkipped(schedule_id=schedule_id, last=instant):
            if known := schedules.get(schedule_id):
                schedules.put(replace(known, cursor=max(known.cursor, instant)))
        case (
            ScheduleChanged()
            | ScheduleEnabled()
            | ScheduleDisabled()
            | SchedulePaused()
            | ScheduleResumed()
            | ScheduleDeleted() as event
        ):
            known = schedules.get(event.schedule_id)
            # A deleted one hears of nothing but its definition, and of its deletion again.
            if known and (known.deleted_at is None or isinstance(event, ScheduleDeleted)):
                edited = _edited(known, event, fact)
                schedules.put(replace(edited, edition=known.edition + 1, updated_at=fact.time, updated_by=fact.actor))
        case _:
            return


def _defined(event: ScheduleDefined, known: Schedule | None, fact: Fact) -> Schedule:
    return Schedule(
        schedule_id=event.schedule_id,
        workspace=fact.workspace,
        name=event.name,
        description=event.description,
        job_type=LIBRARY_SCAN,
        library_id=event.target.library_id,
        expression=event.timing.expression,
        zone=event.timing.zone,
        enabled=event.enabled,
        cursor=event.cursor,
        priority=event.policy.priority,
        timeout_s=event.policy.timeout_s,
        max_retries=event.policy.max_retries,
        created_at=known.created_at if known else fact.time,
        updated_at=fact.time,
        deleted_at=None,
        scan_mode=event.scan_mode,
        edition=known.edition + 1 if known and known.deleted_at else 1,
        created_by=known.created_by if known else fact.actor,
        updated_by=fact.actor,
        days=event.timing.days,
        clock_changes=event.timing.clock_changes,
        rules=_text(event.rules),
        rules_version=known.rules_version + 1 if known and known.deleted_at else 1,
        tick_count=known.tick_count if known else 0,
        calendars=_names(event.rules),
    )


def _edited(known: Schedule, event: Edit, fact: Fact) -> Schedule:
    match event:
        case ScheduleChanged():
            return _changed(known, event)
        case ScheduleEnabled():
            return replace(_resumed(known), enabled=True, cursor=event.cursor)
        case ScheduleResumed():
            return replace(_resumed(known), cursor=event.cursor)
        case SchedulePaused(at=at, reason=reason, resume_at=resume_at):
            since = known.paused_at or at
            return replace(known, paused_at=since, paused_by=fact.actor, pause_reason=reason, resume_at=resume_at)
        case ScheduleDisabled():
            return replace(_resumed(known), enabled=False)
        case ScheduleDeleted():
            return replace(_resumed(known), enabled=False, deleted_at=known.deleted_at or fact.time)


def _resumed(known: Schedule) -> Schedule:
    return replace(known, paused_at=None, paused_by=None, pause_reason=None, resume_at=None)


def _text(rules: Rules) -> str:
    return msgspec.json.encode(rules).decode()


def _names(rules: Rules) -> str:
    return " ".join(copy.name for copy in rules.calendars)


def _changed(known: Schedule, event: ScheduleChanged) -> Schedule:
    if event.policy is not None:
        known = replace(
            known,
            priority=event.policy.priority,
            timeout_s=event.policy.timeout_s,
            max_retries=event.policy.max_retries,
        )
    if event.rules is not None:
        known = replace(known, rules=_text(event.rules), calendars=_names(event.rules))
    return replace(
        known,
        name=event.name,
        description=event.description,
        library_id=event.target.library_id,
        expression=event.timing.expression,
        zone=event.timing.zone,
        days=event.timing.days,
        clock_changes=event.timing.clock_changes,
        cursor=event.cursor,
        scan_mode=event.scan_mode or known.scan_mode,
        rules_version=event.version,
    )
