"""What goes over HTTP, in camelCase. Times are RFC 3339 in UTC; durations in milliseconds; sizes in bytes."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from litestar.enums import RequestEncodingType
from litestar.params import BodyKwarg
from msgspec import UNSET, Meta, Struct, UnsetType, field

from linstock.messages.answer import Answer
from linstock.messages.scan import Counts, ReportItem

T = TypeVar("T")

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Description = Annotated[str, Meta(max_length=2000)]
Path = Annotated[str, Meta(min_length=1, max_length=4096, description="Absolute path of a folder on the server")]
Cron = Annotated[str, Meta(min_length=1, max_length=200, description="5 fields, or 6 with seconds first")]
Zone = Annotated[str, Meta(min_length=1, max_length=100, description="IANA time zone")]

Status = Literal["Pending", "Scheduled", "Running", "Retrying", "Completed", "Failed", "Timeout", "Cancelled"]
Removals = Literal["none", "held", "applied", "rejected"]


class Wire(Struct, rename="camel", kw_only=True):
    """Answers."""


class Body(Struct, frozen=True, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """Requests: a misspelt field is an error, not a silent default."""


class Page(Wire, Generic[T]):
    """`page` counts from 1. A page beyond the last is empty, not an error."""

    data: list[T]
    total_count: int
    page: int
    page_size: int
    total_pages: int


class CreateLibraryBody(Body, frozen=True):
    name: Name
    path: Path
    description: Description = ""
    auto_scan: bool = False
    cron_expression: Cron = "0 2 * * *"
    time_zone: Zone = "UTC"


class ChangeLibraryBody(Body, frozen=True):
    """Only what is given changes."""

    name: Name | UnsetType = UNSET
    path: Path | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    auto_scan: bool | UnsetType = UNSET
    cron_expression: Cron | UnsetType = UNSET
    time_zone: Zone | UnsetType = UNSET


class StartScanBody(Body, frozen=True):
    triggered_by: Literal["API", "Manual"] = "API"


class LibraryDto(Wire):
    id: UUID
    name: str
    path: str
    description: str
    auto_scan: bool
    cron_expression: str
    time_zone: str
    created_at: datetime
    updated_at: datetime


class CollectionDto(Wire):
    """`path` is relative to the library's ("" is its root), for display; `pathBytes` (base64) only if not UTF-8."""

    id: UUID
    name: str
    path: str
    kind: str
    image_count: int
    size_bytes: int = field(name="bytes")
    state: Literal["present", "missing"]
    path_bytes: bytes | UnsetType = UNSET


class ScanStartedDto(Wire):
    id: UUID


class ScanDto(Wire):
    """`status` is the job's: Completed once the work has ended, not before. `counts` and `report` are what the latest
    attempt saw, once it has ended; `held` counts the removals that wait for a person while `removals` is held."""

    id: UUID
    library_id: UUID | None
    library_name: str | None
    scheduled_job_id: UUID | None
    status: Status
    removals: Removals
    held: int
    counts: Counts | None
    report: list[ReportItem] | None
    attempt: int
    triggered_by: str | None
    worker: str | None
    requested_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    next_attempt_at: datetime | None
    duration: int | None
    error_code: str | None
    error_message: str | None


class Parameters(Struct, kw_only=True):
    """The seed's own spelling."""

    LibraryId: UUID | None


class ScheduledJobDto(Wire):
    id: UUID
    name: str
    description: str
    job_type: str
    schedule_type: Literal["Cron"]
    cron_expression: str
    time_zone: str
    interval_minutes: int | None
    is_enabled: bool
    parameters: Parameters
    last_run_at: datetime | None
    next_run_at: datetime | None
    last_run_duration: int | None
    last_run_status: str | None
    run_count: int
    success_count: int
    failure_count: int
    last_error_message: str | None
    priority: int
    timeout_minutes: float
    max_retry_attempts: int
    created_at: datetime
    updated_at: datetime


class RunResult(Wire):
    """What a finished scan run came to."""

    status: Status
    library_id: UUID | None
    library_name: str | None
    library_path: str | None
    run_id: UUID
    duration: int | None
    message: str | None


Result = Annotated[
    Any,
    Meta(description="Of a scan: status, libraryId, libraryName, libraryPath, runId, duration, message; else any JSON"),
]


class ScheduledJobRunDto(Wire):
    """`result` is null until the run has ended; for other types than LibraryScan it is what the job returned."""

    id: UUID
    scheduled_job_id: UUID | None
    scheduled_job_name: str | None
    job_type: str
    status: Status
    attempt: int
    requested_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    duration: int | None
    error_message: str | None
    result: Result
    triggered_by: str


class OperationDto(Wire):
    """What became of a command. `answer` is null while it is pending: {status, id, code, detail}."""

    id: UUID
    status: Literal["pending", "done", "refused"]
    command: str | None = None
    answer: Answer | None = None
    position: str | None = None
    handled_at: datetime | None = None


class WelcomeDto(Wire):
    name: str
    openapi: str
    libraries: str
    scheduled_jobs: str


# What handlers take as `data`, and lists as they are named in the OpenAPI document.
Taken = Annotated[T, BodyKwarg(media_type=RequestEncodingType.JSON, schema_extra={"additional_properties": False})]
LibraryPage = Annotated[Page[LibraryDto], BodyKwarg(schema_component_key="LibraryPage")]
CollectionPage = Annotated[Page[CollectionDto], BodyKwarg(schema_component_key="CollectionPage")]
ScanPage = Annotated[Page[ScanDto], BodyKwarg(schema_component_key="ScanPage")]
ScheduledJobPage = Annotated[Page[ScheduledJobDto], BodyKwarg(schema_component_key="ScheduledJobPage")]
ScheduledJobRunPage = Annotated[Page[ScheduledJobRunDto], BodyKwarg(schema_component_key="ScheduledJobRunPage")]
