"""Schedules (scheduled jobs) and their runs over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar.params import BodyKwarg
from msgspec import Meta, Struct

from services.api.dto.progress import PausedDto, ProgressDto, WaitingDto
from services.api.dto.schedule_rules import RuledDto
from services.api.dto.wire import Page, Wire

Status = Literal["Pending", "Scheduled", "Running", "Retrying", "Paused", "Completed", "Failed", "Timeout", "Cancelled"]


class Parameters(Struct, kw_only=True):
    """The seed's own spelling."""

    LibraryId: UUID | None


class ScheduledJobDto(RuledDto):
    """`version` counts its editions; runs are none. `createdBy` and `updatedBy` are whoever asked. `scheduleType` is
    Interval for whole minutes. While it is paused it stays enabled; `nextRunAt` is then the first after `resumeAt`."""

    id: UUID
    name: str
    description: str
    job_type: str
    schedule_type: Literal["Cron", "Interval"]
    cron_expression: str
    time_zone: str
    interval_minutes: int | None
    is_enabled: bool
    is_paused: bool
    paused_at: datetime | None
    paused_by: str | None
    pause_reason: str | None
    resume_at: datetime | None
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
    scan_mode: str
    version: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str


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
    """`result` is null until the run has ended; for other types than LibraryScan it is what the job returned. `paused`
    is there while it is Paused. `waitingFor` says why it does not start, `progress` how far it is: lists have neither.
    """

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
    requested_by: str
    scan_mode: str | None
    library_id: UUID | None
    paused: PausedDto | None = None
    waiting_for: WaitingDto | None = None
    progress: ProgressDto | None = None


ScheduledJobPage = Annotated[Page[ScheduledJobDto], BodyKwarg(schema_component_key="ScheduledJobPage")]
ScheduledJobRunPage = Annotated[Page[ScheduledJobRunDto], BodyKwarg(schema_component_key="ScheduledJobRunPage")]
