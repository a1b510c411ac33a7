"""The verdict on one scan, attempt by attempt. Pure.

An attempt gets one verdict, the first. A later attempt may still get its own: the job that asked counts only the
verdict of its current attempt, and an earlier one may have come after its lease was over.
"""

from typing import assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock.eventlog.decider import Aggregate
from linstock.messages.scan import (
    AbandonScan,
    ChangesPreviewed,
    CompleteScan,
    FailScan,
    PreviewChanges,
    ScanCancelled,
    ScanCommand,
    ScanCompleted,
    ScanEvent,
    ScanFailed,
    ScanUndone,
)


class Scan(Struct, frozen=True):
    """Attempts up to `closed_attempt` have ended; 0: none has. `previewed` is the last page that a dry run told, and
    whose attempt's it is. `library_id` is there once it was completed and has changed something, or might have."""

    closed_attempt: int = 0
    previewed: tuple[int, int] = (0, 0)
    library_id: UUID | None = None
    undone: bool = False


class NothingToUndo(Exception):
    """Only a scan that was completed, and was no dry run, can be undone."""


class AttemptClosed(Exception):
    """This attempt of the scan has its verdict; it does not run again."""

    def __init__(self, scan_id: UUID, attempt: int) -> None:
        super().__init__(f"{self.__doc__} Scan {scan_id} attempt {attempt}.")
        self.scan_id = scan_id
        self.attempt = attempt


def initial() -> Scan:
    return Scan()


def evolve(scan: Scan, event: ScanEvent) -> Scan:
    match event:
        case ScanCompleted(attempt=attempt, library_id=library_id, dry_run=False):
            closed = max(scan.closed_attempt, attempt)
            return replace(scan, closed_attempt=closed, library_id=library_id)
        case ScanUndone():
            return replace(scan, undone=True)
        case ScanCompleted(attempt=attempt) | ScanFailed(attempt=attempt) | ScanCancelled(attempt=attempt):
            return replace(scan, closed_attempt=max(scan.closed_attempt, attempt))
        case ChangesPreviewed(attempt=attempt, page=page):
            return replace(scan, previewed=(attempt, page))
        case _:
            assert_never(event)


def decide(command: ScanCommand, scan: Scan) -> list[ScanEvent]:
    match command:
        case CompleteScan(verdict=verdict):
            return _close(verdict, scan)
        case PreviewChanges(page=page):
            refuse_closed(page.scan_id, page.attempt, scan)
            return [page] if (page.attempt, page.page) > scan.previewed else []
        case FailScan(verdict=verdict):
            return _close(verdict, scan)
        case AbandonScan(verdict=verdict):
            return _close(verdict, scan)
        case _:
            assert_never(command)


def undo(undone: ScanUndone, scan: Scan) -> list[ScanEvent]:
    """A second time there is nothing left to do. Raises NothingToUndo."""
    if scan.library_id is None or scan.library_id != undone.library_id:
        raise NothingToUndo
    return [] if scan.undone else [undone]


def refuse_closed(scan_id: UUID, attempt: int, scan: Scan) -> None:
    """Raises AttemptClosed when the attempt, or a later one, has ended."""
    if attempt <= scan.closed_attempt:
        raise AttemptClosed(scan_id, attempt)


def _close(verdict: ScanCompleted | ScanFailed | ScanCancelled, scan: Scan) -> list[ScanEvent]:
    return [] if verdict.attempt <= scan.closed_attempt else [verdict]


SCAN: Aggregate[Scan, ScanEvent] = Aggregate("scan", initial=initial, evolve=evolve, events=ScanEvent, state=Scan)
