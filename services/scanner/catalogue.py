"""What a catalogue may record, and from whom. Pure: walking, storing and the bus are elsewhere.

The fold keeps the owner, its cursor and counters; what is in the library is in the events alone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock.eventlog.decider import Aggregate, Snapshots
from linstock.messages.catalogue import (
    ApproveRemovals,
    CatalogueCommand,
    CatalogueEvent,
    CataloguePage,
    CatalogueReleased,
    CollectionsDeparted,
    CollectionsMarkedMissing,
    CollectionsMoved,
    CollectionsPurged,
    CollectionsRecorded,
    CollectionsRestored,
    CollectionsReverted,
    FilesMoved,
    HoldRemovals,
    HoldSettled,
    RecordPage,
    RejectRemovals,
    ReleaseCatalogue,
    RemovalsApproved,
    RemovalsHeld,
    RemovalsProposed,
    RemovalsRejected,
    ScanStarted,
    SettleHold,
    StartScan,
)

REMEMBERED_WRITERS = 8
IDS_OF_PAGE = 10_000  # 400 kB encoded


class Writer(Struct, frozen=True):
    scan_id: UUID
    attempt: int
    lease: UUID


class Hold(Struct, frozen=True):
    """Removals that wait for a person; once they are rejected, those that nobody is asked about again."""

    scan_id: UUID
    count: int
    attempt: int = 1
    reason: str = ""
    message: str = ""
    file_system: str = ""
    rejected: bool = False


class Free(Struct, frozen=True, tag="free"):
    """Nobody may write. `past` are the last writers, oldest first: none of them comes back. `file_system` is where the
    content was recorded last; empty: nobody noted it."""

    past: tuple[Writer, ...] = ()
    known: int = 0
    hold: Hold | None = None
    file_system: str = ""


class Owned(Struct, frozen=True, tag="owned"):
    """`cursor` is the owner's last recorded page. `known` counts the collections ever recorded."""

    owner: Writer
    cursor: int = 0
    past: tuple[Writer, ...] = ()
    known: int = 0
    hold: Hold | None = None
    file_system: str = ""


Catalogue = Free | Owned


class NotOwner(Exception):
    """This scan's attempt does not own the catalogue (any more); it must change nothing."""

    def __init__(self, scan_id: UUID, attempt: int, owner: Writer | None) -> None:
        holder = f"scan {owner.scan_id} attempt {owner.attempt}" if owner else "nobody"
        super().__init__(f"{self.__doc__} Scan {scan_id} attempt {attempt}; the owner is {holder}.")
        self.scan_id = scan_id
        self.attempt = attempt
        self.owner = owner


class PageOutOfOrder(Exception):
    """A page came before its predecessor; pages count from 1 without holes."""

    def __init__(self, page: int, cursor: int) -> None:
        super().__init__(f"{self.__doc__} Page {page} after page {cursor}.")
        self.page = page
        self.cursor = cursor


class NoSuchHold(Exception):
    """No removals of this scan wait for anybody."""


class CatalogueBusy(Exception):
    """A scan of this library is under way and will judge its removals anew: wait for it, or cancel it."""

    def __init__(self, scan_id: UUID) -> None:
        super().__init__(f"{self.__doc__} It is scan {scan_id}.")
        self.scan_id = scan_id


class NothingProposed(Exception):
    """Which collections these are was not noted. Scan the library again, then decide."""


def initial() -> Catalogue:
    return Free()


def evolve(catalogue: Catalogue, event: CatalogueEvent) -> Catalogue:
    match event:
        case ScanStarted(scan_id=scan_id, attempt=attempt, lease=lease):
            owner = Writer(scan_id, attempt, lease)
            past = _retired(catalogue, by=owner)
            return Owned(
                owner=owner,
                past=past,
                known=catalogue.known,
                hold=catalogue.hold,
                file_system=catalogue.file_system,
            )
        case CollectionsRecorded(added=added):
            return _turned(replace(catalogue, known=catalogue.known + added), event)
        case (
            CollectionsMarkedMissing() | CollectionsMoved() | CollectionsRestored() | FilesMoved() | RemovalsProposed()
        ):
            return _turned(catalogue, event)
        case RemovalsHeld():
            return replace(catalogue, hold=_hold(event))
        case RemovalsApproved():
            # Where the content is not is where it belongs now.
            where = catalogue.hold.file_system if catalogue.hold else ""
            return replace(catalogue, hold=None, file_system=where or catalogue.file_system)
        case RemovalsRejected():
            return replace(catalogue, hold=replace(catalogue.hold, rejected=True) if catalogue.hold else None)
        case HoldSettled():
            return replace(catalogue, hold=None)
        case CollectionsReverted() | CollectionsPurged() | CollectionsDeparted():
            return catalogue
        case CatalogueReleased(file_system=where):
            return Free(
                past=_retired(catalogue, by=None),
                known=catalogue.known,
                hold=catalogue.hold,
                file_system=where or catalogue.file_system,
            )
        case _:
            assert_never(event)


def decide(command: CatalogueCommand, catalogue: Catalogue) -> list[CatalogueEvent]:
    match command:
        case StartScan(started=started):
            return _start(started, catalogue)
        case RecordPage(page=page):
            return _record(page, catalogue)
        case HoldRemovals(held=held):
            return _held(held, _owned_by(held.scan_id, held.attempt, catalogue).hold)
        case SettleHold(scan_id=scan_id, attempt=attempt):
            return _settle(command, _owned_by(scan_id, attempt, catalogue))
        case ReleaseCatalogue(scan_id=scan_id, attempt=attempt):
            if not owns(scan_id, attempt, catalogue):
                return []
            return [
                CatalogueReleased(
                    scan_id=scan_id,
                    library_id=command.library_id,
                    attempt=attempt,
                    at=command.at,
                    file_system=command.file_system,
                )
            ]
        case _:
            assert_never(command)


def approve(
    command: ApproveRemovals, catalogue: Catalogue, *, proposed: Sequence[UUID], actor: str, at: datetime
) -> list[CatalogueEvent]:
    """Mark what the hold proposed. Raises NoSuchHold, CatalogueBusy, NothingProposed."""
    hold = _waiting(command.scan_id, catalogue)
    if not proposed:
        raise NothingProposed
    pages = [
        CollectionsMarkedMissing(
            scan_id=hold.scan_id,
            library_id=command.library_id,
            attempt=hold.attempt,
            page=number,
            at=at,
            collections=tuple(proposed[start : start + IDS_OF_PAGE]),
        )
        for number, start in enumerate(range(0, len(proposed), IDS_OF_PAGE), 1)
    ]
    approved = RemovalsApproved(
        held_scan_id=hold.scan_id, library_id=command.library_id, actor=actor, count=len(proposed), at=at
    )
    return [*pages, approved]


def reject(command: RejectRemovals, catalogue: Catalogue, *, actor: str, at: datetime) -> list[CatalogueEvent]:
    """Raises NoSuchHold, CatalogueBusy."""
    hold = _waiting(command.scan_id, catalogue)
    return [RemovalsRejected(held_scan_id=hold.scan_id, library_id=command.library_id, actor=actor, at=at)]


def revert(
    pages: Sequence[CollectionsReverted], catalogue: Catalogue, *, scan_id: UUID, library_id: UUID, at: datetime
) -> list[CatalogueEvent]:
    """What undoing `scan_id` comes to: nobody needs to decide any more about what it asked. Raises CatalogueBusy."""
    if isinstance(catalogue, Owned):
        raise CatalogueBusy(catalogue.owner.scan_id)
    if catalogue.hold is None or catalogue.hold.scan_id != scan_id:
        return [*pages]
    settled = HoldSettled(scan_id=scan_id, held_scan_id=scan_id, library_id=library_id, at=at)
    return [*pages, settled]


def purge(pages: Sequence[CollectionsPurged], catalogue: Catalogue) -> list[CatalogueEvent]:
    """What is missing waits for nobody, so a hold stays as it is. Raises CatalogueBusy."""
    if isinstance(catalogue, Owned):
        raise CatalogueBusy(catalogue.owner.scan_id)
    return [*pages]


def owns(scan_id: UUID, attempt: int, catalogue: Catalogue) -> bool:
    """Whether this attempt is the one writer."""
    if isinstance(catalogue, Free):
        return False
    return catalogue.owner.scan_id == scan_id and catalogue.owner.attempt == attempt


def _start(started: ScanStarted, catalogue: Catalogue) -> list[CatalogueEvent]:
    """A newer attempt of the owner, or another scan, takes over; whoever wrote before does not come back."""
    if isinstance(catalogue, Owned) and catalogue.owner.scan_id == started.scan_id:
        if started.attempt == catalogue.owner.attempt and started.lease == catalogue.owner.lease:
            return []
        if started.attempt <= catalogue.owner.attempt:
            _refuse(started.scan_id, started.attempt, catalogue)
    if any(past.scan_id == started.scan_id and started.attempt <= past.attempt for past in catalogue.past):
        _refuse(started.scan_id, started.attempt, catalogue)
    return [started]


def _record(page: CataloguePage, catalogue: Catalogue) -> list[CatalogueEvent]:
    owned = _owned_by(page.scan_id, page.attempt, catalogue)
    if page.page <= owned.cursor:
        return []
    if page.page > owned.cursor + 1:
        raise PageOutOfOrder(page.page, owned.cursor)
    return [page]


def _turned(catalogue: Catalogue, page: CataloguePage) -> Catalogue:
    """The owner is at this page now. What a person approved has pages too, and no owner."""
    return catalogue if isinstance(catalogue, Free) else replace(catalogue, cursor=page.page)


def _held(held: RemovalsHeld, before: Hold | None) -> list[CatalogueEvent]:
    """One hold waits at a time: the newest."""
    if before is None or before.rejected or before.scan_id == held.scan_id:
        twice = before is not None and (before.scan_id, before.attempt) == (held.scan_id, held.attempt)
        return [] if twice else [held]
    return [replace(held, replaces=before.scan_id)]


def _hold(held: RemovalsHeld) -> Hold:
    return Hold(
        scan_id=held.scan_id,
        count=held.count,
        attempt=held.attempt,
        reason=held.reason,
        message=held.message,
        file_system=held.file_system,
    )


def _waiting(scan_id: UUID, catalogue: Catalogue) -> Hold:
    hold = catalogue.hold
    if hold is None or hold.rejected or hold.scan_id != scan_id:
        raise NoSuchHold
    if isinstance(catalogue, Owned):
        raise CatalogueBusy(catalogue.owner.scan_id)
    return hold


def _settle(command: SettleHold, owned: Owned) -> list[CatalogueEvent]:
    if owned.hold is None:
        return []
    return [
        HoldSettled(
            scan_id=command.scan_id, held_scan_id=owned.hold.scan_id, library_id=command.library_id, at=command.at
        )
    ]


def _owned_by(scan_id: UUID, attempt: int, catalogue: Catalogue) -> Owned:
    if isinstance(catalogue, Free) or not owns(scan_id, attempt, catalogue):
        _refuse(scan_id, attempt, catalogue)
    return catalogue


def _refuse(scan_id: UUID, attempt: int, catalogue: Catalogue) -> NoReturn:
    raise NotOwner(scan_id, attempt, catalogue.owner if isinstance(catalogue, Owned) else None)


def _retired(catalogue: Catalogue, *, by: Writer | None) -> tuple[Writer, ...]:
    """The past writers once the owner has gone. One entry per scan is enough: its newest attempt."""
    if isinstance(catalogue, Free):
        return catalogue.past
    gone = catalogue.owner
    if by and by.scan_id == gone.scan_id:
        return catalogue.past
    others = tuple(writer for writer in catalogue.past if writer.scan_id != gone.scan_id)
    return (*others, gone)[-REMEMBERED_WRITERS:]


CATALOGUE: Aggregate[Catalogue, CatalogueEvent] = Aggregate(
    "catalogue",
    initial=initial,
    evolve=evolve,
    events=CatalogueEvent,
    state=Catalogue,
    snapshots=Snapshots(shape="2", every=100),
)
