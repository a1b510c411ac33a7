"""scans and the scans of a library, under /api/v1"""

from litestar import get

from services.api import answers, progress
from services.api.context import Fresh, Id
from services.api.dto.scans import ScanDto, ScanPage
from services.api.paging import PAGED, Wanted
from services.api.problems import not_found
from services.api.queries import libraries, scans, waiting


@get("/scans/{scan_id:uuid}", responses=answers.reading(404))
async def get_scan(scan_id: Id, fresh: Fresh) -> ScanDto:
    """One scan: how it stands, what it saw, what it holds back."""
    scan = await scans.one(fresh.pool, fresh.workspace, scan_id)
    if scan is None:
        raise not_found("scan", scan_id)
    scan.waiting_for = await waiting.why(fresh.pool, fresh.workspace, scan_id)
    await progress.add(fresh, [scan])
    return scan


@get("/libraries/{library_id:uuid}/scans", dependencies=PAGED, responses=answers.reading(404, 422))
async def list_scans(library_id: Id, window: Wanted, fresh: Fresh) -> ScanPage:
    """A library's scans, the newest first; also of a deleted library."""
    page = await scans.page(fresh.pool, fresh.workspace, library_id, window)
    if not page.total_count and await libraries.one(fresh.pool, fresh.workspace, library_id) is None:
        raise not_found("library", library_id)
    await progress.add(fresh, page.data)
    return page


HANDLERS = (get_scan, list_scans)
