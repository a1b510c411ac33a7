"""Collections whose images were read, and the cover of each. From the scanner log (enrichment)."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from linstock.messages.enrichment import CollectionsEnriched, EnrichedCollection
from services.projection.fact import Fact
from services.projection.rows import Rows
from services.projection.sums import Sums
from services.projection.views.read_counts import ReadCount


class Cover(Struct, frozen=True):
    """Of a collection whose digest was `digest` then. Without a `hash` there is no cover, and `no_cover` says why."""

    collection_id: UUID
    workspace: str
    library_id: UUID
    digest: str
    name: str | None
    hash: str | None
    width: int | None
    height: int | None
    no_cover: str
    valid: int
    flawed: int
    read_at: datetime


def rows() -> Rows[Cover]:
    return Rows("covers", Cover, key=("collection_id",))


def reads(fact: Fact) -> Iterable[UUID]:
    match fact.event:
        case CollectionsEnriched(collections=collections):
            return [entry.collection_id for entry in collections if entry.digest]
        case _:
            return ()


def fold(covers: Rows[Cover], counts: Sums[ReadCount], fact: Fact) -> None:
    match fact.event:
        case CollectionsEnriched() as page:
            for entry in page.collections:
                if entry.digest:
                    _settle(covers, counts, _row(entry, page, fact))
        case _:
            return


def _settle(covers: Rows[Cover], counts: Sums[ReadCount], row: Cover) -> None:
    before = covers.get(row.collection_id)
    had = before is not None and before.hash is not None
    counts.add((row.library_id, row.workspace), int(before is None), (row.hash is not None) - had, 0)
    covers.put(row)


def _row(entry: EnrichedCollection, page: CollectionsEnriched, fact: Fact) -> Cover:
    cover = entry.cover
    return Cover(
        collection_id=entry.collection_id,
        workspace=fact.workspace,
        library_id=page.library_id,
        digest=entry.digest,
        name=cover.name if cover else None,
        hash=cover.hash if cover else None,
        width=cover.width if cover else None,
        height=cover.height if cover else None,
        no_cover=entry.no_cover,
        valid=entry.image_count,
        flawed=entry.flawed,
        read_at=page.at,
    )
