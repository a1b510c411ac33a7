"""A scan is a job and what the scanner saw: two logs, joined here."""

from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET

from linstock.messages.scan import Counts, ReportItem
from linstock.messages.schedule import ScanPath
from services.api.dto.scans import Removals, ScanDto, ScopeDto
from services.api.dto.wire import Page
from services.api.paging import Window
from services.api.queries import blocks
from services.api.queries.blocks import Wanted

_COLUMNS = """
    coalesce(j.job_id, s.scan_id) AS id, coalesce(j.library_id, s.library_id) AS library_id, j.library_name,
    j.schedule_id, j.scan_mode, coalesce(j.status, 'Pending') AS status, j.triggered_by, j.requested_by, j.requested_at,
    j.ended_at, j.due,
    coalesce(j.started_at, s.started_at) AS started_at, greatest(j.attempt, s.attempt) AS attempt,
    coalesce(j.worker, s.worker) AS worker, s.status AS seen, s.counts, s.report,
    coalesce(j.code, s.code) AS code, coalesce(j.message, s.message) AS message,
    j.scope, coalesce(j.dry_run, false) AS dry_run, h.state AS hold, s.held,
    s.undone_at, s.undone_by
"""

# A scan of a root that is still empty holds what an earlier one holds already: the hold is recorded once, on the first.
_HOLD = """
    LEFT JOIN LATERAL (
        SELECT state FROM holds
        WHERE holds.scan_id = s.scan_id OR (s.held > 0 AND holds.library_id = s.library_id AND holds.state = 'held')
        ORDER BY (holds.scan_id = s.scan_id) DESC LIMIT 1
    ) h ON true
"""

_PAGE = f"SELECT {_COLUMNS} FROM {{jobs}} LEFT JOIN scans s ON s.scan_id = j.job_id {_HOLD}"  # noqa: S608


async def one(pool: asyncpg.Pool, workspace: str, scan_id: UUID) -> ScanDto | None:
    """Also when only one of the two logs has told of it yet."""
    row = await pool.fetchrow(
        f"SELECT {_COLUMNS} FROM (VALUES ($1::uuid)) AS wanted (id)"  # noqa: S608
        " LEFT JOIN jobs j ON j.job_id = wanted.id AND j.workspace = $2 AND j.job_type = 'LibraryScan'"
        " LEFT JOIN scans s ON s.scan_id = wanted.id AND s.workspace = $2"
        f" {_HOLD}"
        " WHERE j.job_id IS NOT NULL OR s.scan_id IS NOT NULL",
        scan_id,
        workspace,
    )
    return _scan(row) if row else None


async def page(pool: asyncpg.Pool, workspace: str, library_id: UUID, window: Window) -> Page[ScanDto]:
    """The newest first."""
    scope = blocks.of_library(workspace, library_id)
    rows, total = await blocks.rows(pool, _PAGE, scope, Wanted(), window)
    return window.of([_scan(row) for row in rows], total)


async def files_of_last(pool: asyncpg.Pool, workspace: str, library_id: UUID) -> int:
    """How many files the last completed scan of all of the library saw; 0 when there was none."""
    counts = await pool.fetchval(
        "SELECT counts FROM scans s WHERE library_id = $1 AND workspace = $2 AND status = 'Completed'"
        " AND NOT EXISTS (SELECT FROM jobs j WHERE j.job_id = s.scan_id AND j.scope IS NOT NULL)"
        " ORDER BY ended_at DESC LIMIT 1",
        library_id,
        workspace,
    )
    return msgspec.json.decode(counts, type=Counts).files if counts else 0


def milliseconds(start: datetime | None, end: datetime | None) -> int | None:
    return round((end - start).total_seconds() * 1000) if start and end else None


def _scan(row: asyncpg.Record) -> ScanDto:
    counts = msgspec.json.decode(row["counts"] or "null", type=Counts | None)
    return ScanDto(
        id=row["id"],
        library_id=row["library_id"],
        library_name=row["library_name"],
        scheduled_job_id=row["schedule_id"],
        status=row["status"],
        removals=_removals(row["hold"], counts),
        held=row["held"] or 0 if row["hold"] == "held" else 0,
        counts=counts,
        report=msgspec.json.decode(row["report"] or "null", type=list[ReportItem] | None),
        attempt=row["attempt"],
        triggered_by=row["triggered_by"],
        requested_by=row["requested_by"],
        scan_mode=row["scan_mode"],
        scope=_scope(row["scope"]),
        dry_run=row["dry_run"],
        worker=row["worker"],
        requested_at=row["requested_at"],
        started_at=row["started_at"],
        completed_at=row["ended_at"],
        next_attempt_at=row["due"],
        duration=milliseconds(row["started_at"], row["ended_at"]),
        error_code=row["code"],
        error_message=row["message"],
        undone_at=row["undone_at"],
        undone_by=row["undone_by"],
    )


def _scope(stored: str | None) -> list[ScopeDto] | None:
    if stored is None:
        return None
    paths = msgspec.json.decode(stored, type=list[ScanPath])
    return [
        ScopeDto(path=each.path, path_bytes=UNSET if each.path_bytes is None else each.path_bytes) for each in paths
    ]


def _removals(hold: str | None, counts: Counts | None) -> Removals:
    match hold:
        case "held" | "rejected":
            return hold
        case "approved":
            return "applied"
        case _:  # none, or a later scan settled it
            return "applied" if counts and counts.missing else "none"
