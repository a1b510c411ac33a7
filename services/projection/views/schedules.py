"""Schedules: when what is asked for. From the scheduler log. A deleted one keeps its row: its runs still name it."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.job import LIBRARY_SCAN
from linstock.messages.schedule import (
    ScheduleChanged,
    ScheduleDefined,
    ScheduleDeleted,
    ScheduleDisabled,
    ScheduleEnabled,
    TickFired,
    TicksSkipped,
)
from services.projection.fact import Fact
from services.projection.rows import Rows


class Schedule(Struct, frozen=True):
    """`cursor`: instants up to it are decided."""

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
    deleted_at: datetime | None = None


def rows() -> Rows[Schedule]:
    return Rows("schedules", Schedule, key=("schedule_id",))


def reads(fact: Fact) -> Iterable[UUID]:
    match fact.event:
        case (
            ScheduleDefined()
            | ScheduleChanged()
            | ScheduleEnabled()
            | ScheduleDisabled()
            | ScheduleDeleted()
            | TickFired()
            | TicksSkipped() as event
        ):
            return (event.schedule_id,)
        case _:
            return ()


def fold(schedules: Rows[Schedule], fact: Fact) -> None:
    match fact.event:
        case ScheduleDefined() as event:
            schedules.put(_defined(event, schedules.get(event.schedule_id), fact))
            return
        case (
            ScheduleChanged()
            | ScheduleEnabled()
            | ScheduleDisabled()
            | ScheduleDeleted()
            | TickFired()
            | TicksSkipped() as event
        ):
            if known := schedules.get(event.schedule_id):
                schedules.put(_moved(known, event, fact.time))
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
    )


def _moved(
    known: Schedule,
    event: ScheduleChanged | ScheduleEnabled | ScheduleDisabled | ScheduleDeleted | TickFired | TicksSkipped,
    at: datetime,
) -> Schedule:
    match event:
        case ScheduleChanged():
            return replace(
                known,
                name=event.name,
                description=event.description,
                library_id=event.target.library_id,
                expression=event.timing.expression,
                zone=event.timing.zone,
                cursor=event.cursor,
                updated_at=at,
            )
        case ScheduleEnabled():
            return replace(known, enabled=True, cursor=event.cursor, updated_at=at)
        case ScheduleDisabled():
            return replace(known, enabled=False, updated_at=at)
        case ScheduleDeleted():
            return replace(known, enabled=False, updated_at=at, deleted_at=at)
        case TickFired():
            return replace(known, cursor=event.instant)
        case TicksSkipped():
            return replace(known, cursor=event.last)
