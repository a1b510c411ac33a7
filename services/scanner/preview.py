"""One attempt of a dry run: what a scan would record is told in events of the scan, and the catalogue stays as it is.

It needs no ownership of the catalogue. It has the methods of a Ledger that a scan needs.
"""

from collections.abc import Iterator
from datetime import datetime

from linstock.eventlog.decider import Loaded
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Recorded, VersionConflict
from linstock.messages.scan import (
    ChangesPreviewed,
    CompleteScan,
    FailScan,
    PreviewChanges,
    PreviewedChange,
    ScanCommand,
    ScanCompleted,
    ScanEvent,
    ScanFailed,
)
from services.scanner import scan
from services.scanner.catalogue import CATALOGUE
from services.scanner.ledger import Attempt
from services.scanner.pages import Page
from services.scanner.scan import SCAN, AttemptClosed, Scan

LISTED = 20_000


class Preview:
    """Not safe for concurrent use. All methods raise AttemptClosed when the attempt no longer counts, and what the log
    raises."""

    def __init__(self, log: EventLog, attempt: Attempt) -> None:
        self._log = log
        self._attempt = attempt
        self._scan: Loaded[Scan, ScanEvent]
        self._page = self._listed = 0
        self.version = 0  # of the catalogue, when it was looked at

    async def start(self, at: datetime) -> None:
        del at
        self.version = (await CATALOGUE.load(self._log, self._attempt.library_id)).version
        self._scan = await SCAN.load(self._log, self._attempt.scan_id)
        scan.refuse_closed(self._attempt.scan_id, self._attempt.attempt, self._scan.state)

    async def record(self, page: Page, at: datetime) -> list[Recorded]:
        """Tell what is on the page; nothing is recorded."""
        one = self._attempt
        changes = tuple(_changes(page))[: LISTED - self._listed]
        if not changes:
            return []
        self._page += 1
        self._listed += len(changes)
        told = ChangesPreviewed(
            scan_id=one.scan_id,
            library_id=one.library_id,
            attempt=one.attempt,
            page=self._page,
            changes=changes,
            at=at,
        )
        if not await self._append(PreviewChanges(page=told), at):
            # Somebody told a page of this number under this very attempt: it runs twice.
            raise AttemptClosed(one.scan_id, one.attempt)
        return []

    async def complete(self, verdict: ScanCompleted) -> None:
        """The verdict alone."""
        scan.refuse_closed(self._attempt.scan_id, self._attempt.attempt, self._scan.state)
        if not await self._append(CompleteScan(verdict=verdict), verdict.at):
            raise AttemptClosed(self._attempt.scan_id, self._attempt.attempt)

    async def fail(self, verdict: ScanFailed) -> None:
        """Harmless when it was closed."""
        self._scan = await SCAN.load(self._log, self._attempt.scan_id)
        await self._append(FailScan(verdict=verdict), verdict.at)

    async def _append(self, command: ScanCommand, at: datetime) -> bool:
        """False: it was there already."""
        while events := scan.decide(command, self._scan.state):
            try:
                await self._log.append([self._scan.append(events)], self._attempt.origin(at))
            except VersionConflict:
                self._scan = await SCAN.load(self._log, self._attempt.scan_id)
                continue
            self._scan = self._scan.after(events)
            return True
        return False


def _changes(page: Page) -> Iterator[PreviewedChange]:
    for moved in page.moved:
        entry = moved.entry
        yield PreviewedChange(
            kind="moved",
            collection_id=entry.collection_id,
            collection_kind=entry.kind,
            path=entry.path,
            path_bytes=entry.path_bytes,
            path_before=moved.from_path,
            images=entry.image_count,
            images_before=entry.image_count,
            size_bytes=entry.size_bytes,
            size_bytes_before=entry.size_bytes,
        )
    arrived = {each.collection_id: each for each in page.arrived}
    for entry, before in zip(page.collections, page.before, strict=True):
        if entry.digest:  # else it goes on, on a later page
            arrival = arrived.get(entry.collection_id)
            yield PreviewedChange(
                kind="moved" if arrival else "changed" if before else "added",
                path_before=arrival.from_path if arrival else None,
                collection_id=entry.collection_id,
                collection_kind=entry.kind,
                path=entry.path,
                path_bytes=entry.path_bytes,
                images=entry.image_count,
                images_before=before.image_count if before else 0,
                size_bytes=entry.size_bytes,
                size_bytes_before=before.size_bytes if before else 0,
            )
