"""Removals that a scan held for a person. From the scanner log (the catalogue's events)."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock import names
from linstock.messages.catalogue import HoldSettled, RemovalsApproved, RemovalsHeld, RemovalsRejected
from services.projection.fact import Fact
from services.projection.rows import Rows

HELD, SETTLED, REPLACED, APPROVED, REJECTED = "held", "settled", "replaced", "approved", "rejected"


class Hold(Struct, frozen=True):
    """Settled: a later scan (`settled_by`) found content again, so nobody needs to decide and nothing was removed.
    Replaced: it asks about more, or less, in a hold of its own. Else somebody decided (`decided_by`)."""

    scan_id: UUID
    workspace: str
    library_id: UUID
    attempt: int
    count: int
    reason: str
    held_at: datetime
    state: str = HELD
    settled_by: UUID | None = None
    settled_at: datetime | None = None
    log: str = names.SCANNER
    message: str = ""
    decided_by: str | None = None
    decided_at: datetime | None = None


def rows() -> Rows[Hold]:
    return Rows("holds", Hold, key=("scan_id",))


def reads(fact: Fact) -> Iterable[UUID]:
    match fact.event:
        case HoldSettled() | RemovalsApproved() | RemovalsRejected() as event:
            return (event.held_scan_id,)
        case RemovalsHeld(replaces=UUID() as replaces):
            return (replaces,)
        case _:
            return ()


def fold(holds: Rows[Hold], fact: Fact) -> None:
    match fact.event:
        case RemovalsHeld() as event:
            if event.replaces and (before := holds.get(event.replaces)):
                holds.put(replace(before, state=REPLACED, settled_by=event.scan_id, settled_at=event.at))
            holds.put(_row(event, fact))
        case HoldSettled(held_scan_id=held_scan_id, scan_id=scan_id, at=at):
            # One that was rejected is only forgotten by the scanner.
            if (held := holds.get(held_scan_id)) and held.state == HELD:
                holds.put(replace(held, state=SETTLED, settled_by=scan_id, settled_at=at))
        case RemovalsApproved() | RemovalsRejected() as event:
            state = APPROVED if isinstance(event, RemovalsApproved) else REJECTED
            if held := holds.get(event.held_scan_id):
                holds.put(replace(held, state=state, decided_by=event.actor, decided_at=event.at))
        case _:
            return


def _row(event: RemovalsHeld, fact: Fact) -> Hold:
    return Hold(
        scan_id=event.scan_id,
        workspace=fact.workspace,
        library_id=event.library_id,
        attempt=event.attempt,
        count=event.count,
        reason=event.reason,
        held_at=event.at,
        log=fact.log,
        message=event.message,
    )
