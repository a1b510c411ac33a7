"""What a schedule's rules were, from when on, and by whom: ticks name the version that produced them. They are few and
stay, also of a deleted schedule, and when its ticks are forgotten. From the scheduler log."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.schedule import ScheduleChanged, ScheduleDefined, ScheduleDeleted
from services.projection.fact import Fact
from services.projection.rows import Rows
from services.projection.views.schedules import Schedule


class ScheduleVersion(Struct, frozen=True):
    """`timing` and `rules` are JSON, as events have them. Instants up to `cursor` are another version's, or nobody's.
    `edition` is the schedule's at that edit; `restored` is the version that it brought back."""

    schedule_id: UUID
    version: int
    workspace: str
    edition: int
    name: str
    timing: str
    rules: str
    made_at: datetime
    made_by: str
    cursor: datetime
    deleted_at: datetime | None = None
    deleted_by: str | None = None
    description: str = ""
    scan_mode: str = "changed"
    priority: int = 5
    timeout_s: int = 3600
    max_retries: int = 3
    restored: int | None = None


def rows() -> Rows[ScheduleVersion]:
    return Rows("schedule_versions", ScheduleVersion, key=("schedule_id", "version"))


def reads(fact: Fact) -> Iterable[UUID]:
    """A schedule's versions are read together."""
    match fact.event:
        case ScheduleChanged(schedule_id=schedule_id) | ScheduleDeleted(schedule_id=schedule_id):
            return (schedule_id,)
        case _:
            return ()


def fold(versions: Rows[ScheduleVersion], schedule: Schedule | None, fact: Fact) -> None:
    """`schedule` is what the event made of it."""
    if schedule is None:
        return
    match fact.event:
        case ScheduleDefined() as event:
            versions.put(_version(event, schedule, fact))
        case ScheduleChanged() as event if schedule.deleted_at is None:
            if versions.get((schedule.schedule_id, event.version)) is None:  # else it changed nothing
                versions.put(_version(event, schedule, fact))
        case ScheduleDeleted():
            last = versions.get((schedule.schedule_id, schedule.rules_version))
            if last is not None and last.deleted_at is None:
                versions.put(replace(last, deleted_at=fact.time, deleted_by=fact.actor))
        case _:
            return


def _version(event: ScheduleDefined | ScheduleChanged, schedule: Schedule, fact: Fact) -> ScheduleVersion:
    return ScheduleVersion(
        schedule_id=event.schedule_id,
        version=schedule.rules_version,
        workspace=fact.workspace,
        edition=schedule.edition,
        name=event.name,
        timing=msgspec.json.encode(event.timing).decode(),
        rules=schedule.rules,
        made_at=fact.time,
        made_by=fact.actor,
        cursor=event.cursor,
        description=event.description,
        scan_mode=schedule.scan_mode,
        priority=schedule.priority,
        timeout_s=schedule.timeout_s,
        max_retries=schedule.max_retries,
        restored=event.restored if isinstance(event, ScheduleChanged) else None,
    )
