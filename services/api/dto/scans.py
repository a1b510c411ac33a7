"""Scans over HTTP."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar.params import BodyKwarg
from msgspec import UNSET, Meta, UnsetType

from linstock.messages.scan import Counts, ReportItem
from services.api.dto.scan_modes import ScanMode, Trigger
from services.api.dto.schedules import Status
from services.api.dto.wire import Body, Page, Wire, said

Removals = Literal["none", "held", "applied", "rejected"]


Path = Annotated[
    str,
    Meta(
        max_length=16384,
        description="Relative to the library's folder, such as 2024/Holidays",
        extra_json_schema=said(format="relative-path"),
    ),
]


class ScopeBody(Body, frozen=True):
    """A folder with all that lies below it, or a file: then the folder that it is in. `pathBytes` (base64), where the
    name is not UTF-8, counts."""

    path: Path
    path_bytes: bytes | UnsetType = UNSET


class StartScanBody(Body, frozen=True):
    """`scanType` is another name of `scanMode`, which counts if both are given. With `scope` only that part is looked
    at, and only what is known there can turn out to be absent. `dryRun`: say what would change, and change nothing."""

    triggered_by: Trigger = "API"
    scan_mode: ScanMode | UnsetType = UNSET
    scan_type: ScanMode | UnsetType = UNSET
    scope: ScopeBody | UnsetType = UNSET
    dry_run: bool = False


class HintBody(Body, frozen=True):
    """Files or folders that were made, changed or removed. A folder stands for all that lies below it."""

    paths: Annotated[list[Path], Meta(min_length=1, max_length=1000)]


class HintedDto(Wire):
    """How many paths were noted."""

    paths: int


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


class ScopeDto(Wire):
    path: str
    path_bytes: bytes | UnsetType = UNSET


class ScanDto(Wire):
    """`progress` is there while the scan is Running and has said something. `scope` is null when all of the library was
    asked for. `dryRun`: it recorded nothing; `/changes` says what it would have.

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
    scope: list[ScopeDto] | None
    dry_run: bool
    worker: str | None
    requested_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    next_attempt_at: datetime | None
    duration: int | None
    error_code: str | None
    error_message: str | None
    undone_at: datetime | None
    undone_by: str | None
    progress: ProgressDto | None = None


ScanPage = Annotated[Page[ScanDto], BodyKwarg(schema_component_key="ScanPage")]
