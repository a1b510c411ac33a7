"""The scanner's half of a scan: what the latest attempt saw and how it ended. From the scanner log.

The other half, the job, is in the scheduler's log and table; whoever shows a scan joins the two.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from linstock import names
from linstock.messages.catalogue import ScanStarted
from linstock.messages.scan import ScanCancelled, ScanCompleted, ScanFailed, ScanUndone
from linstock.statuses import CANCELLED, COMPLETED, FAILED, RUNNING
from services.projection.fact import Fact
from services.projection.rows import Rows


class Scan(Struct, frozen=True):
    """`counts` and `report` are JSON. `began_at_version`: the catalogue's, when the attempt took it."""

    scan_id: UUID
    workspace: str
    library_id: UUID
    attempt: int
    status: str
    root: str | None = None
    worker: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_ms: int | None = None
    held: int = 0
    counts: str | None = None
    report: str | None = None
    code: str | None = None
    message: str | None = None
    final: bool | None = None
    log: str = names.SCANNER
    began_at_version: int | None = None
    undone_at: datetime | None = None
    undone_by: str | None = None


def rows() -> Rows[Scan]:
    return Rows("scans", Scan, key=("scan_id",))


def reads(fact: Fact) -> Iterable[UUID]:
    match fact.event:
        case ScanStarted() | ScanCompleted() | ScanFailed() | ScanCancelled() | ScanUndone() as event:
            return (event.scan_id,)
        case _:
            return ()


def fold(scans: Rows[Scan], fact: Fact) -> None:
    match fact.event:
        case ScanStarted() | ScanCompleted() | ScanFailed() | ScanCancelled() as event:
            known = scans.get(event.scan_id)
            # An attempt that lost its lease may still say how it ended; the scan is the newer attempt's by then.
            if known is None or event.attempt >= known.attempt:
                scans.put(_row(event, known, fact))
        case ScanUndone(scan_id=scan_id, at=at, actor=actor):
            if known := scans.get(scan_id):
                scans.put(msgspec.structs.replace(known, undone_at=at, undone_by=actor))
        case _:
            return


def _row(event: ScanStarted | ScanCompleted | ScanFailed | ScanCancelled, known: Scan | None, fact: Fact) -> Scan:
    if known is None or known.attempt != event.attempt:
        known = Scan(event.scan_id, fact.workspace, event.library_id, event.attempt, RUNNING, log=fact.log)
    match event:
        case ScanStarted(root=root, worker=worker, at=at):
            return msgspec.structs.replace(
                known, status=RUNNING, root=root, worker=worker, started_at=at, began_at_version=fact.version
            )
        case ScanCompleted():
            return msgspec.structs.replace(
                known,
                status=COMPLETED,
                ended_at=event.at,
                duration_ms=event.duration_ms,
                held=event.held,
                counts=msgspec.json.encode(event.counts).decode(),
                report=msgspec.json.encode(event.report).decode(),
            )
        case ScanFailed(code=code, message=message, final=final, at=at):
            return msgspec.structs.replace(known, status=FAILED, ended_at=at, code=code, message=message, final=final)
        case ScanCancelled(reason=reason, at=at):
            return msgspec.structs.replace(known, status=CANCELLED, ended_at=at, code="cancelled", message=reason)
