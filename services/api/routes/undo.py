"""Undoing a scan, under /api/v1/scans/{id}/undo"""

from litestar import Response, get, post

from linstock import names
from linstock.bus.commands import Pending
from linstock.messages.answer import Undone
from linstock.messages.catalogue import UndoScan
from services.api import answers, commands
from services.api.commands import Key
from services.api.context import Asked, Fresh, Id
from services.api.dto.scan_changes import ScanChangePage, UndoBody, UndoneDto, UndoneScan
from services.api.dto.wire import Taken
from services.api.paging import PAGED, Wanted
from services.api.problems import not_found
from services.api.queries import scan_changes, scans


@post(
    "/scans/{scan_id:uuid}/undo",
    status_code=200,
    responses=answers.command(404, 409, 413, body=True),
    response_headers=[answers.POSITION],
)
async def undo_scan(
    scan_id: Id, data: Taken[UndoBody], request: Asked, fresh: Fresh, key: Key = None
) -> Response[UndoneScan]:
    """Make all that the scan touched, and no later one, as it was before. The next scan sees what is on disk, and says
    so. Twice does nothing more. 409 while a scan of the library is open, and for one that has changed nothing."""
    scan = await scans.one(fresh.pool, fresh.workspace, scan_id)
    if scan is None or scan.library_id is None:
        raise not_found("scan", scan_id)
    command = UndoScan(library_id=scan.library_id, scan_id=scan_id, dry_run=data.dry_run)
    done = await commands.send(request, fresh, names.SCANNER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    counts = done.answer.undone or Undone()
    told = UndoneDto(
        scan_id=scan_id,
        dry_run=data.dry_run,
        withdrawn=counts.withdrawn,
        changed=counts.changed,
        restored=counts.restored,
        missing=counts.missing,
        left_alone=counts.left_alone,
    )
    return Response(told, headers=done.headers)


@get("/scans/{scan_id:uuid}/undo", dependencies=PAGED, responses=answers.reading(404, 422))
async def list_undone_changes(scan_id: Id, window: Wanted, fresh: Fresh) -> ScanChangePage:
    """What undoing the scan changed, as of another scan; empty while nobody undid it."""
    if await scans.one(fresh.pool, fresh.workspace, scan_id) is None:
        raise not_found("scan", scan_id)
    return await scan_changes.page(fresh.pool, fresh.workspace, names.undo_of(scan_id), None, window)


HANDLERS = (undo_scan, list_undone_changes)
