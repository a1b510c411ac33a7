"""What schedules and their runs are told over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from litestar.openapi.spec.enums import OpenAPIType
from msgspec import UNSET, Meta, Struct, UnsetType, field

from linstock.messages.library import DEFAULT_ZONE
from services.api.dto.scan_modes import ScanMode, Trigger
from services.api.dto.schedule_rules import Moment, RuledBody
from services.api.dto.wire import LINES, Body, Cron, Description, Name, Zone, said

# Whole numbers, also written 5.0: to JSON Schema that is an integer.
INTEGER = OpenAPIType.INTEGER
Priority = Annotated[
    float,
    Meta(ge=1, le=10, multiple_of=1, description="10 is the most urgent", extra_json_schema=said(type=INTEGER)),
]
# A limit of 0 gets into the document of an optional field only like this.
Minutes = Annotated[
    float,
    Meta(gt=0, le=10080, description="Of each attempt; to the second", extra_json_schema=said(exclusive_minimum=0)),
]
Reason = Annotated[str, Meta(max_length=500, description="Shown with it", extra_json_schema=said(pattern=LINES))]
VersionNumber = Annotated[
    float,
    Meta(ge=1, le=1_000_000_000, multiple_of=1, description="As ticks name it", extra_json_schema=said(type=INTEGER)),
]
Limit = Annotated[
    float,
    Meta(ge=1, le=200, multiple_of=1, description="At most so many instants", extra_json_schema=said(type=INTEGER)),
]
Retries = Annotated[float, Meta(ge=0, le=20, multiple_of=1, extra_json_schema=said(type=INTEGER, minimum=0))]


ScheduleType = Literal["Cron", "Interval"]
Interval = Annotated[
    float,
    Meta(
        ge=1,
        le=527_040,
        multiple_of=1,
        description="Between two instants, counted from 1970-01-01T00:00Z: `@every 90m` as an expression",
        extra_json_schema=said(type=INTEGER),
    ),
]


class LibraryOf(Struct, frozen=True):
    """Which library is scanned."""

    library_id: UUID = field(name="LibraryId")


class CreateScheduledJobBody(RuledBody, frozen=True):
    """The library is named by `libraryId` or by `parameters`. Without name and description they are made from the
    library's name. `intervalMinutes` takes the place of `cronExpression`."""

    library_id: UUID | UnsetType = UNSET
    parameters: LibraryOf | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    description: Description = ""
    job_type: Literal["LibraryScan"] = "LibraryScan"
    schedule_type: ScheduleType | UnsetType = UNSET
    cron_expression: Cron | UnsetType = UNSET
    interval_minutes: Interval | UnsetType | None = UNSET
    time_zone: Zone = DEFAULT_ZONE
    is_enabled: bool = True
    priority: Priority = 5
    timeout_minutes: Minutes = 60
    max_retry_attempts: Retries = 3
    scan_mode: ScanMode = "changed"


class ChangeScheduledJobBody(RuledBody, frozen=True):
    """Only what is given changes; null takes a limit away. What a job does, and for which library, is fixed."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    schedule_type: ScheduleType | UnsetType = UNSET
    cron_expression: Cron | UnsetType = UNSET
    interval_minutes: Interval | UnsetType | None = UNSET
    time_zone: Zone | UnsetType = UNSET
    is_enabled: bool | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    timeout_minutes: Minutes | UnsetType = UNSET
    max_retry_attempts: Retries | UnsetType = UNSET
    scan_mode: ScanMode | UnsetType = UNSET


class TriggerBody(Body, frozen=True):
    """Without a mode, the schedule's own."""

    triggered_by: Trigger = "API"
    scan_mode: ScanMode | UnsetType = UNSET


class RestoreBody(Body, frozen=True):
    version: VersionNumber


class BackfillBody(Body, frozen=True):
    """From `from` to `to`, both included. More than `limit` instants are refused."""

    from_: Moment = field(name="from")
    to: Moment
    dry_run: bool = False
    limit: Limit = 200


class PauseBody(Body, frozen=True):
    """Until `resumeAt`, or until somebody resumes it."""

    reason: Reason = ""
    resume_at: Moment | None = None


class CancelBody(Body, frozen=True):
    reason: Reason = ""


class RestBody(Body, frozen=True):
    """Of a run that is paused or resumed."""

    reason: Reason = ""
