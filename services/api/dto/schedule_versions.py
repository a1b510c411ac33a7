"""Versions of a schedule over HTTP, and what changed between them."""

from datetime import datetime
from typing import Annotated, Any

from litestar.params import BodyKwarg
from msgspec import field as named

from services.api.dto.wire import Page, Wire


class ScheduledJobVersionDto(Wire):
    """`version` is what ticks name; `edition` is the schedule's own `version` at that edit, which counts switching on
    and off too. It was made at `since`, and replaced or deleted at `until`; null: it is in force. Instants up to
    `appliesAfter` are not its. `restored` is the version that it brought back."""

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
    restored: int | None


class ChangeDto(Wire):
    """A field as the schedule has it, with what it was and what it became."""

    field: str
    from_: Any = named(name="from")
    to: Any


class ScheduledJobVersionDiffDto(Wire):
    """From `against` to `version`; no changes: they are the same."""

    version: int
    against: int
    changes: list[ChangeDto]


ScheduledJobVersionPage = Annotated[
    Page[ScheduledJobVersionDto], BodyKwarg(schema_component_key="ScheduledJobVersionPage")
]
