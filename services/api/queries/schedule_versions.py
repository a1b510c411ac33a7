"""Versions of a schedule, as stored."""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from linstock.messages.rules import ChangedRules, Rules, Timing
from linstock.messages.schedule_commands import ChangeSchedule
from services.api.dto.schedule_rules import RuledDto, shown
from services.api.dto.schedule_versions import ChangeDto, ScheduledJobVersionDto
from services.api.dto.wire import Page
from services.api.paging import Window

_PAGE = """
    SELECT version, edition, name, timing, rules, made_at, made_by, cursor, deleted_by, restored,
        coalesce(deleted_at, lead(made_at) OVER (ORDER BY version)) AS until
    FROM schedule_versions WHERE schedule_id = $1 AND workspace = $2
    ORDER BY version DESC LIMIT $3 OFFSET $4
"""
_COUNT = "SELECT count(*) FROM schedule_versions WHERE schedule_id = $1 AND workspace = $2"
_ONE = """
    SELECT version, name, description, timing, rules, priority, timeout_s, max_retries, scan_mode
    FROM schedule_versions WHERE schedule_id = $1 AND workspace = $2 AND version = coalesce($3::bigint, version)
    ORDER BY version DESC LIMIT 1
"""
_MOST = 2**31


class Whole(Struct, frozen=True):
    """All that a version is, but its library."""

    number: int
    name: str
    description: str
    timing: Timing
    rules: Rules
    priority: int
    timeout_s: int
    max_retries: int
    scan_mode: str

    def changes_to(self, other: "Whole") -> list[ChangeDto]:
        here, there = self._fields(), other._fields()
        return [
            ChangeDto(field=field, from_=value, to=there[field])
            for field, value in here.items()
            if there[field] != value
        ]

    def restoring(self, schedule_id: UUID, if_versions: tuple[int, ...]) -> ChangeSchedule:
        """The command that makes it so again. Calendars come back by name: their days are today's."""
        rules = {each: getattr(self.rules, each) for each in Rules.__struct_fields__ if each != "calendars"}
        return ChangeSchedule(
            schedule_id=schedule_id,
            name=self.name,
            description=self.description,
            expression=self.timing.expression,
            zone=self.timing.zone,
            priority=self.priority,
            timeout_s=self.timeout_s,
            max_retries=self.max_retries,
            scan_mode=self.scan_mode,
            days=self.timing.days,
            clock_changes=self.timing.clock_changes,
            rules=ChangedRules(**rules),
            calendars=tuple(copy.name for copy in self.rules.calendars),
            if_versions=if_versions,
            restored=self.number,
        )

    def _fields(self) -> dict[str, Any]:
        """As a scheduled job has them."""
        minutes = self.timeout_s / 60
        rules = RuledDto(days=self.timing.days, clock_changes=self.timing.clock_changes, **shown(self.rules))
        return {
            "name": self.name,
            "description": self.description,
            "cronExpression": self.timing.expression,
            "timeZone": self.timing.zone,
            **msgspec.to_builtins(rules),
            "priority": self.priority,
            "timeoutMinutes": int(minutes) if minutes.is_integer() else minutes,
            "maxRetryAttempts": self.max_retries,
            "scanMode": self.scan_mode,
        }


async def page(pool: asyncpg.Pool, workspace: str, schedule_id: UUID, window: Window) -> Page[ScheduledJobVersionDto]:
    """The newest first; also of a deleted schedule."""
    total = await pool.fetchval(_COUNT, schedule_id, workspace)
    rows = await pool.fetch(_PAGE, schedule_id, workspace, window.size, window.offset)
    return window.of([_version(row) for row in rows], total)


async def one(pool: asyncpg.Pool, workspace: str, schedule_id: UUID, version: int | None) -> Whole | None:
    """None for `version`: the newest."""
    if version is not None and not 0 < version < _MOST:
        return None
    row = await pool.fetchrow(_ONE, schedule_id, workspace, version)
    if row is None:
        return None
    return Whole(
        number=row["version"],
        name=row["name"],
        description=row["description"],
        timing=msgspec.json.decode(row["timing"], type=Timing),
        rules=msgspec.json.decode(row["rules"], type=Rules),
        priority=row["priority"],
        timeout_s=row["timeout_s"],
        max_retries=row["max_retries"],
        scan_mode=row["scan_mode"],
    )


def _version(row: asyncpg.Record) -> ScheduledJobVersionDto:
    timing = msgspec.json.decode(row["timing"], type=Timing)
    rules = msgspec.json.decode(row["rules"], type=Rules)
    return ScheduledJobVersionDto(
        version=row["version"],
        edition=row["edition"],
        name=row["name"],
        cron_expression=timing.expression,
        time_zone=timing.zone,
        calendars=[copy.name for copy in rules.calendars],
        since=row["made_at"],
        changed_by=row["made_by"],
        applies_after=row["cursor"],
        until=row["until"],
        deleted_by=row["deleted_by"],
        restored=row["restored"],
    )
