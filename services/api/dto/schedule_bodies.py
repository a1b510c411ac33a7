"""What schedules and their runs are told over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from litestar.openapi.spec.enums import OpenAPIType
from msgspec import UNSET, Meta, Struct, UnsetType, field

from linstock.messages.library import DEFAULT_CRON, DEFAULT_ZONE
from services.api.dto.scan_modes import ScanMode, Trigger
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
Retries = Annotated[float, Meta(ge=0, le=20, multiple_of=1, extra_json_schema=said(type=INTEGER, minimum=0))]


class LibraryOf(Struct, frozen=True):
    """Which library is scanned."""

    library_id: UUID = field(name="LibraryId")


class CreateScheduledJobBody(Body, frozen=True):
    """The library is named by `libraryId` or by `parameters`. Without name and description they are made from the
    library's name."""

    library_id: UUID | UnsetType = UNSET
    parameters: LibraryOf | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    description: Description = ""
    job_type: Literal["LibraryScan"] = "LibraryScan"
    schedule_type: Literal["Cron"] = "Cron"
    cron_expression: Cron = DEFAULT_CRON
    time_zone: Zone = DEFAULT_ZONE
    is_enabled: bool = True
    priority: Priority = 5
    timeout_minutes: Minutes = 60
    max_retry_attempts: Retries = 3
    scan_mode: ScanMode = "changed"


class ChangeScheduledJobBody(Body, frozen=True):
    """Only what is given changes. What a job does, and for which library, is fixed."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    cron_expression: Cron | UnsetType = UNSET
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


class CancelBody(Body, frozen=True):
    reason: Annotated[
        str, Meta(max_length=500, description="Shown with the run", extra_json_schema=said(pattern=LINES))
    ] = ""
