"""One attempt's writes: load, decide, append, and again when somebody else was first.

Every append expects the catalogue's version, so whoever lost the catalogue learns it with the next one.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock.eventlog.decider import Loaded
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Append, Origin, Recorded, VersionConflict
from linstock.messages.catalogue import (
    Arrival,
    CatalogueCommand,
    CatalogueEvent,
    CataloguePage,
    CollectionsDeparted,
    CollectionsMarkedMissing,
    CollectionsMoved,
    CollectionsRecorded,
    CollectionsRestored,
    Departure,
    FilesMoved,
    HoldRemovals,
    MissingFiles,
    MovedFiles,
    RecordPage,
    ReleaseCatalogue,
    RemovalsHeld,
    RemovalsProposed,
    ScanStarted,
    SettleHold,
    StartScan,
)
from linstock.messages.scan import CompleteScan, FailScan, ScanCompleted, ScanFailed
from services.scanner import catalogue, history, scan
from services.scanner.catalogue import CATALOGUE, Catalogue, Hold, NotOwner, Owned
from services.scanner.index import Index
from services.scanner.pages import Page
from services.scanner.scan import SCAN, AttemptClosed

ACTOR = "scanner"
_FOUND = CollectionsRecorded.__struct_config__.tag


class Attempt(Struct, frozen=True, kw_only=True):
    """One attempt of one scan, under its lease, and what set it off."""

    scan_id: UUID
    library_id: UUID
    attempt: int
    lease: UUID
    worker: str
    root: str
    workspace: str
    correlation_id: UUID
    causation_id: UUID
    traceparent: str | None

    def origin(self, at: datetime) -> Origin:
        return Origin(
            workspace=self.workspace,
            actor=ACTOR,
            at=at,
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            traceparent=self.traceparent,
        )


class Ledger:
    """Not safe for concurrent use: one attempt, one append at a time. Each method returns what the catalogue recorded
    since the last one, whoever appended it, in order. All raise NotOwner and AttemptClosed when the attempt no longer
    counts, and what the log raises."""

    def __init__(self, log: EventLog, attempt: Attempt) -> None:
        self._log = log
        self._attempt = attempt
        self._catalogue: Loaded[Catalogue, CatalogueEvent]
        self._new: list[Recorded] = []
        self._began_after = 0  # the position before all that the scan has recorded

    @property
    def version(self) -> int:
        """Of the catalogue."""
        return self._catalogue.version

    @property
    def next_page(self) -> int:
        state = self._catalogue.state
        return state.cursor + 1 if isinstance(state, Owned) else 1

    async def start(self, at: datetime) -> None:
        """Own the catalogue. Twice for one lease is harmless."""
        one = self._attempt
        started = ScanStarted(
            scan_id=one.scan_id,
            library_id=one.library_id,
            attempt=one.attempt,
            lease=one.lease,
            worker=one.worker,
            root=one.root,
            at=at,
        )
        self._catalogue = await CATALOGUE.load(self._log, one.library_id)
        await self._refuse_closed()
        while (events := catalogue.decide(StartScan(started=started), self._catalogue.state)) and (
            not await self._append(events, at=at)
        ):
            await self._refuse_closed()
        if one.attempt == 1 and self._new:
            self._began_after = self._new[0].position - 1
        # Who abandons an attempt closes its scan first and then looks who owns the catalogue; this looks the other
        # way round, so one of the two notices.
        try:
            await self._refuse_closed()
        except AttemptClosed:
            await self.release(at)
            raise

    @property
    def hold(self) -> Hold | None:
        """What an earlier scan held."""
        return self._catalogue.state.hold

    @property
    def file_system(self) -> str:
        """Where the library's content was recorded last; empty: nobody noted it."""
        return self._catalogue.state.file_system

    async def record(self, page: Page, at: datetime) -> list[Recorded]:
        """Append one page after the last, as each of the three below; what has moved first."""
        moved: list[Recorded] = []
        if page.moved:
            moved = await self._turn(CollectionsMoved(collections=page.moved, **self._next_page(at)))
        if not page.collections:
            return moved
        recorded = CollectionsRecorded(
            collections=page.collections,
            files=page.files,
            added=page.added,
            arrived=page.arrived,
            **self._next_page(at),
        )
        return moved + await self._turn(recorded)

    async def follow(self, page: Page, index: Index) -> None:
        """Let the index know what has left other libraries with this page."""
        for library_id in _sources(page.arrived):
            version = (await CATALOGUE.load(self._log, library_id)).version
            await index.catch_up(self._log, library_id, version=version)

    async def mark_missing(
        self, collections: tuple[UUID, ...], files: tuple[MissingFiles, ...], at: datetime
    ) -> list[Recorded]:
        return await self._turn(CollectionsMarkedMissing(collections=collections, files=files, **self._next_page(at)))

    async def restore(self, collections: tuple[UUID, ...], at: datetime) -> list[Recorded]:
        return await self._turn(CollectionsRestored(collections=collections, **self._next_page(at)))

    async def move_files(self, collections: tuple[MovedFiles, ...], at: datetime) -> list[Recorded]:
        return await self._turn(FilesMoved(collections=collections, **self._next_page(at)))

    async def found(self) -> AsyncIterator[CollectionsRecorded]:
        """What the scan has recorded of collections, page by page; of its earlier attempts as well."""
        async for events in history.batches(self._log, self._attempt.library_id, after=self._began_after):
            for recorded in events:
                page = CATALOGUE.decode(recorded.data) if recorded.type == _FOUND else None
                if isinstance(page, CollectionsRecorded) and page.scan_id == self._attempt.scan_id:
                    yield page

    async def propose(self, collections: tuple[UUID, ...], at: datetime) -> list[Recorded]:
        return await self._turn(RemovalsProposed(collections=collections, **self._next_page(at)))

    def _next_page(self, at: datetime) -> dict[str, Any]:
        one = self._attempt
        return {
            "scan_id": one.scan_id,
            "library_id": one.library_id,
            "attempt": one.attempt,
            "page": self.next_page,
            "at": at,
        }

    async def _turn(self, page: CataloguePage) -> list[Recorded]:
        while True:
            events = catalogue.decide(RecordPage(page=page), self._catalogue.state)
            if not events:
                # Somebody recorded a page of this number under this very attempt: it runs twice. Ours is not in.
                raise NotOwner(self._attempt.scan_id, self._attempt.attempt, None)
            departures = await self._departures(page) if isinstance(page, CollectionsRecorded) else []
            if await self._append(events, *departures, at=page.at):
                return self._take_new()

    async def _departures(self, page: CollectionsRecorded) -> list[Append]:
        """What arrives here leaves there, in one append: it is never in both, and never in none."""
        appends = []
        for library_id, arrivals in _sources(page.arrived).items():
            departed = CollectionsDeparted(
                scan_id=page.scan_id,
                library_id=library_id,
                to_library_id=page.library_id,
                collections=tuple(
                    Departure(collection_id=each.from_collection_id, to_collection_id=each.collection_id)
                    for each in arrivals
                ),
                at=page.at,
            )
            appends.append((await CATALOGUE.load(self._log, library_id)).append([departed]))
        return appends

    async def complete(
        self, verdict: ScanCompleted, *, held: RemovalsHeld | None, settles: bool, file_system: str
    ) -> list[Recorded]:
        """The verdict, what it means for holds, and the release: one append. `file_system`: where the library's content
        is, as far as this scan can tell; empty: it can't."""
        one = self._attempt
        holds: list[CatalogueCommand] = []
        if held:
            holds.append(HoldRemovals(held=held))
        elif settles:
            settle = SettleHold(scan_id=one.scan_id, library_id=one.library_id, attempt=one.attempt, at=verdict.at)
            holds.append(settle)
        release = replace(self._release(verdict.at), file_system=file_system)
        while True:
            closing = await SCAN.load(self._log, one.scan_id)
            scan.refuse_closed(one.scan_id, one.attempt, closing.state)
            events = _in_turn(self._catalogue, *holds, release)
            verdicts = scan.decide(CompleteScan(verdict=verdict), closing.state)
            if await self._append(events, closing.append(verdicts), at=verdict.at):
                await self._snapshot()
                return self._take_new()

    async def fail(self, verdict: ScanFailed) -> None:
        """The verdict, and the release if the catalogue is still this attempt's. Harmless when it was closed."""
        one = self._attempt
        self._catalogue = await CATALOGUE.load(self._log, one.library_id)
        while True:
            closing = await SCAN.load(self._log, one.scan_id)
            events = catalogue.decide(self._release(verdict.at), self._catalogue.state)
            verdicts = scan.decide(FailScan(verdict=verdict), closing.state)
            if await self._append(events, closing.append(verdicts), at=verdict.at):
                return

    async def release(self, at: datetime) -> None:
        """Give the catalogue back without a verdict, if it is this attempt's."""
        while events := catalogue.decide(self._release(at), self._catalogue.state):
            await self._append(events, at=at)

    def _release(self, at: datetime) -> ReleaseCatalogue:
        one = self._attempt
        return ReleaseCatalogue(scan_id=one.scan_id, library_id=one.library_id, attempt=one.attempt, at=at)

    async def _snapshot(self) -> None:
        """Pages are large: whoever loads the catalogue next shall not read them for three counters."""
        assert CATALOGUE.snapshots
        snapshot = self._catalogue.to_snapshot(CATALOGUE.snapshots.shape)
        await self._log.save_snapshot(self._attempt.library_id, snapshot)

    async def _append(self, events: Sequence[CatalogueEvent], *others: Append, at: datetime) -> bool:
        """False, with the catalogue loaded again, when something was appended in between."""
        appends = [each for each in (self._catalogue.append(events), *others) if each.events]
        try:
            recorded = await self._log.append(appends, self._attempt.origin(at))
        except VersionConflict:
            await self._follow()
            return False
        self._new.extend(event for event in recorded if event.aggregate_id == self._attempt.library_id)
        self._catalogue = self._catalogue.after(events)
        return True

    async def _follow(self) -> None:
        loaded = self._catalogue
        for recorded in await self._log.load(self._attempt.library_id, after=loaded.version):
            loaded = loaded.after([CATALOGUE.decode(recorded.data)])
            self._new.append(recorded)
        self._catalogue = loaded

    async def _refuse_closed(self) -> None:
        one = self._attempt
        scan.refuse_closed(one.scan_id, one.attempt, (await SCAN.load(self._log, one.scan_id)).state)

    def _take_new(self) -> list[Recorded]:
        taken, self._new = self._new, []
        return taken


def _sources(arrived: Iterable[Arrival]) -> dict[UUID, list[Arrival]]:
    """By the library that they were in."""
    sources: dict[UUID, list[Arrival]] = {}
    for each in arrived:
        sources.setdefault(each.from_library_id, []).append(each)
    return sources


def _in_turn(loaded: Loaded[Catalogue, CatalogueEvent], *commands: CatalogueCommand) -> list[CatalogueEvent]:
    """What the commands lead to, each decided after the one before."""
    events: list[CatalogueEvent] = []
    for command in commands:
        decided = catalogue.decide(command, loaded.state)
        loaded = loaded.after(decided)
        events += decided
    return events
