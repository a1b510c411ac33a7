"""scans and the scans of a library, under /api/v1"""

import asyncio
from uuid import UUID

from litestar import Response, get, post
from nats.js.errors import NotFoundError

from linstock import names
from linstock.bus.commands import Pending
from linstock.bus.envelope import from_message
from linstock.messages.schedule import RequestScan
from services.api import answers, commands
from services.api.commands import Key
from services.api.context import Asked, Context, Fresh, Id, Shared
from services.api.dto.operations import OperationDto
from services.api.dto.scans import ScanDto, ScanPage, ScanStartedDto, StartScanBody
from services.api.dto.wire import Taken
from services.api.paging import PAGED, Wanted
from services.api.problems import not_found
from services.api.queries import libraries, scans

KNOWN_WITHIN_S = 1.0
LOOK_EVERY_S = 0.02
BY_API = StartScanBody()


@post(
    "/libraries/{library_id:uuid}/scans",
    status_code=202,
    responses=answers.problems(404, 409, body=True),
    response_description="Asked for, or only stored so far: `Location` says where its outcome is",
    response_headers=[answers.LOCATION, answers.POSITION],
    operation_class=answers.BodyOptional,
)
async def start_scan(
    library_id: Id, request: Asked, context: Shared, data: Taken[StartScanBody] = BY_API, key: Key = None
) -> Response[ScanStartedDto | OperationDto]:
    """Scan a library now. One scan of a library at a time: 409 while one is open."""
    await _known(context, library_id)
    command = RequestScan(library_id=library_id, triggered_by=data.triggered_by)
    done = await commands.send(request, context, names.SCHEDULER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    assert done.answer.id
    headers = {**done.headers, "Location": f"/api/v1/scans/{done.answer.id}"}
    return Response(ScanStartedDto(id=done.answer.id), status_code=202, headers=headers)


@get("/scans/{scan_id:uuid}", responses=answers.reading(404))
async def get_scan(scan_id: Id, fresh: Fresh) -> ScanDto:
    """One scan: how it stands, what it saw, what it holds back."""
    scan = await scans.one(fresh.pool, fresh.workspace, scan_id)
    if scan is None:
        raise not_found("scan", scan_id)
    return scan


@get("/libraries/{library_id:uuid}/scans", dependencies=PAGED, responses=answers.reading(404, 422))
async def list_scans(library_id: Id, window: Wanted, fresh: Fresh) -> ScanPage:
    """A library's scans, the newest first; also of a deleted library."""
    page = await scans.page(fresh.pool, fresh.workspace, library_id, window)
    if not page.total_count and await libraries.one(fresh.pool, fresh.workspace, library_id) is None:
        raise not_found("library", library_id)
    return page


async def _known(context: Context, library_id: UUID) -> None:
    """The owner of scans hears of a new library a moment later and would wait for it; nobody should wait for a
    library that is not there at all."""
    loop = asyncio.get_running_loop()
    until = loop.time() + KNOWN_WITHIN_S
    while await libraries.one(context.pool, context.workspace, library_id) is None:
        if loop.time() >= until:
            if await _up_to_date(context):
                raise not_found("library", library_id)
            return  # it may be there: its owner knows
        await asyncio.sleep(LOOK_EVERY_S)


async def _up_to_date(context: Context) -> bool:
    """Whether the read models reflect every library event of EVENTS. Raises what NATS raises when it is away."""
    try:
        last = await context.client.jetstream().get_last_msg(names.EVENTS, names.events_of(names.LIBRARY))
    except NotFoundError:
        return True
    position = from_message(last.headers, last.data or b"", subject=last.subject or "").recorded.position
    return await context.freshness.reached({names.LIBRARY: position}, within_s=0)


HANDLERS = (start_scan, get_scan, list_scans)
