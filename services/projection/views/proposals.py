"""Collections that scans proposed to mark missing. From the scanner log (the catalogue's events)."""

from uuid import UUID

from msgspec import Struct

from linstock.messages.catalogue import RemovalsProposed
from services.projection.fact import Fact
from services.projection.rows import Added


class Proposal(Struct, frozen=True):
    """It counts while the hold of this scan and attempt does."""

    scan_id: UUID
    attempt: int
    collection_id: UUID
    workspace: str
    library_id: UUID


def rows() -> Added[Proposal]:
    return Added("proposals", Proposal, key=("scan_id", "attempt", "collection_id"))


def fold(proposals: Added[Proposal], fact: Fact) -> None:
    match fact.event:
        case RemovalsProposed(scan_id=scan_id, attempt=attempt, library_id=library_id, collections=collections):
            for collection_id in collections:
                proposals.put(Proposal(scan_id, attempt, collection_id, fact.workspace, library_id))
        case _:
            return
