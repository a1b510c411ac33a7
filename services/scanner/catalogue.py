"""What a catalogue may record, and from whom. Pure: walking, storing and the bus are elsewhere.

The fold keeps the owner, its cursor and counters; what is in the library is in the events alone.
"""

from typing import NoReturn, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock.eventlog.decider import Aggregate, Snapshots
from linstock.messages.catalogue import (
    CatalogueCommand,
    CatalogueEvent,
    CatalogueReleased,
    CollectionsRecorded,
    HoldRemovals,
    HoldSettled,
    RecordPage,
    ReleaseCatalogue,
    RemovalsHeld,
    ScanStarted,
    SettleHold,
    StartScan,
)

REMEMBERED_WRITERS = 8


class Writer(Struct, frozen=True):
    scan_id: UUID
    attempt: int
    lease: UUID


class Hold(Struct, frozen=True):
    """Removals that wait for a person."""

    scan_id: UUID
    count: int


class Free(Struct, frozen=True, tag="free"):
    """Nobody may write. `past` are the last writers, oldest first: none of them comes back."""

    past: tuple[Writer, ...] = ()
    known: int = 0
    hold: Hold | None = None


class Owned(Struct, frozen=True, tag="owned"):
    """`cursor` is the owner's last recorded page. `known` counts the collections ever recorded."""

    owner: Writer
    cursor: int = 0
    past: tuple[Writer, ...] = ()
    known: int = 0
    hold: Hold | None = None


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


def initial() -> Catalogue:
    return Free()


def evolve(catalogue: Catalogue, event: CatalogueEvent) -> Catalogue:
    match event:
        case ScanStarted(scan_id=scan_id, attempt=attempt, lease=lease):
            owner = Writer(scan_id, attempt, lease)
            past = _retired(catalogue, by=owner)
            return Owned(owner=owner, past=past, known=catalogue.known, hold=catalogue.hold)
        case CollectionsRecorded(page=page, added=added):
            known = catalogue.known + added
            if isinstance(catalogue, Free):
                return replace(catalogue, known=known)
            return replace(catalogue, cursor=page, known=known)
        case RemovalsHeld(scan_id=scan_id, count=count):
            return replace(catalogue, hold=Hold(scan_id, count))
        case HoldSettled():
            return replace(catalogue, hold=None)
        case CatalogueReleased():
            return Free(past=_retired(catalogue, by=None), known=catalogue.known, hold=catalogue.hold)
        case _:
            assert_never(event)


def decide(command: CatalogueCommand, catalogue: Catalogue) -> list[CatalogueEvent]:
    match command:
        case StartScan(started=started):
            return _start(started, catalogue)
        case RecordPage(page=page):
            return _record(page, catalogue)
        case HoldRemovals(held=held):
            owned = _owned_by(held.scan_id, held.attempt, catalogue)
            # A hold that already waits is not made a second time by the next scan of the same empty root.
            return [] if owned.hold else [held]
        case SettleHold(scan_id=scan_id, attempt=attempt):
            return _settle(command, _owned_by(scan_id, attempt, catalogue))
        case ReleaseCatalogue(scan_id=scan_id, attempt=attempt):
            if not owns(scan_id, attempt, catalogue):
                return []
            library_id, at = command.library_id, command.at
            return [CatalogueReleased(scan_id=scan_id, library_id=library_id, attempt=attempt, at=at)]
        case _:
            assert_never(command)


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


def _record(page: CollectionsRecorded, catalogue: Catalogue) -> list[CatalogueEvent]:
    owned = _owned_by(page.scan_id, page.attempt, catalogue)
    if page.page <= owned.cursor:
        return []
    if page.page > owned.cursor + 1:
        raise PageOutOfOrder(page.page, owned.cursor)
    return [page]


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
    snapshots=Snapshots(shape="1", every=100),
)
