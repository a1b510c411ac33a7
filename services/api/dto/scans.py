"""Scans over HTTP."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar.params import BodyKwarg
from msgspec import UNSET, UnsetType

from linstock.messages.scan import Counts, ReportItem
from services.api.dto.scan_modes import ScanMode, Trigger
from services.api.dto.schedules import Status
from services.api.dto.wire import Body, Page, Wire

Removals = Literal["none", "held", "applied", "rejected"]


class StartScanBody(Body, frozen=True):
    """`scanType` is another name of `scanMode`, which counts if both are given."""

    triggered_by: Trigger = "API"
    scan_mode: ScanMode | UnsetType = UNSET
    scan_type: ScanMode | UnsetType = UNSET


class ScanStartedDto(Wire):
    id: UUID


class ProgressDto(Wire):
    """What a running scan has seen so far, told by the scanner at `at`. `percent` is of the files that the library's
    last completed scan saw, and never above 99; it and `etaSeconds` are null where there is nothing to compare with."""

    files: int
    folders: int
    collections: int
    images: int
    errors: int
    at: datetime
    percent: int | None
    eta_seconds: int | None


class ScanDto(Wire):
    """`progress` is there while the scan is Running and has said something.

    `status` is the job's: Completed once the work has ended, not before. `counts` and `report` are what the latest
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
    requested_by: str | None
    scan_mode: str | None
    worker: str | None
    requested_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    next_attempt_at: datetime | None
    duration: int | None
    error_code: str | None
    error_message: str | None
    progress: ProgressDto | None = None


ScanPage = Annotated[Page[ScanDto], BodyKwarg(schema_component_key="ScanPage")]
