"""What a scan changed, and what changed between two, under /api/v1"""

from typing import Annotated, TypeAlias
from uuid import UUID

from litestar import get
from litestar.params import QueryParameter

from services.api import answers
from services.api.context import Context, Fresh, Id
from services.api.dto.scan_changes import ChangeKind, ScanChangePage
from services.api.filters import ID, words
from services.api.paging import PAGED, Wanted
from services.api.problems import FieldError, invalid, not_found
from services.api.queries import scan_changes, scans

Kind: TypeAlias = Annotated[ChangeKind | None, QueryParameter(schema_extra=words(ChangeKind))]


@get("/scans/{scan_id:uuid}/changes", dependencies=PAGED, responses=answers.reading(404, 422))
async def list_scan_changes(scan_id: Id, window: Wanted, fresh: Fresh, kind: Kind = None) -> ScanChangePage:
    """What a scan changed, in the order in which it went; of a dry run, what it would have changed (the first
    20,000)."""
    if await scans.one(fresh.pool, fresh.workspace, scan_id) is None:
        raise not_found("scan", scan_id)
    return await scan_changes.page(fresh.pool, fresh.workspace, scan_id, kind, window)


@get("/scans/{scan_id:uuid}/diff", dependencies=PAGED, responses=answers.reading(404, 422))
async def diff_scans(
    scan_id: Id,
    window: Wanted,
    fresh: Fresh,
    against: Annotated[UUID, QueryParameter(schema_extra=dict(ID))],
    kind: Kind = None,
) -> ScanChangePage:
    """What of a library is not as the earlier of two of its scans left it, once the later one has ended: the net
    effect of all scans after the earlier one, by path."""
    one, other = await _scan(fresh, scan_id), await _scan(fresh, against)
    if one.library_id != other.library_id:
        raise _refusal("both scans are of one library")
    if one.began_at_version is None or other.began_at_version is None:
        raise _refusal("a dry run changes nothing: its /changes say what it would have")
    earlier, later = (against, scan_id) if other.began_at_version < one.began_at_version else (scan_id, against)
    return await scan_changes.between(fresh.pool, earlier, later, kind, window)


async def _scan(context: Context, scan_id: UUID) -> scan_changes.Scan:
    found = await scan_changes.scan(context.pool, context.workspace, scan_id)
    if found is None:
        raise not_found("scan", scan_id)
    return found


def _refusal(detail: str) -> Exception:
    return invalid(FieldError(detail, parameter="against"))


HANDLERS = (list_scan_changes, diff_scans)
