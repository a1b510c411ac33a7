"""Removals that a scan held for a person. From the scanner log (the catalogue's events)."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock import names
from linstock.messages.catalogue import HoldSettled, RemovalsHeld
from services.projection.fact import Fact
from services.projection.rows import Rows

HELD, SETTLED = "held", "settled"


class Hold(Struct, frozen=True):
    """Settled: a later scan (`settled_by`) found content again, so nobody needs to decide and nothing was removed."""

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


def rows() -> Rows[Hold]:
    return Rows("holds", Hold, key=("scan_id",))


def reads(fact: Fact) -> Iterable[UUID]:
    match fact.event:
        case HoldSettled(held_scan_id=held_scan_id):
            return (held_scan_id,)
        case _:
            return ()


def fold(holds: Rows[Hold], fact: Fact) -> None:
    match fact.event:
        case RemovalsHeld() as event:
            holds.put(
                Hold(
                    scan_id=event.scan_id,
                    workspace=fact.workspace,
                    library_id=event.library_id,
                    attempt=event.attempt,
                    count=event.count,
                    reason=event.reason,
                    held_at=event.at,
                    log=fact.log,
                )
            )
        case HoldSettled(held_scan_id=held_scan_id, scan_id=scan_id, at=at):
            if held := holds.get(held_scan_id):
                holds.put(replace(held, state=SETTLED, settled_by=scan_id, settled_at=at))
        case _:
            return
