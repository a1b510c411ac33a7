"""What scans did not find, and what is decided about it, under /api/v1/libraries/{id}/removals."""

from uuid import UUID

from litestar import Response, get, post

from linstock import names
from linstock.bus.commands import Pending
from linstock.messages.catalogue import ApproveRemovals, RejectRemovals, RemovalsCommand
from services.api import answers, commands
from services.api.commands import Key
from services.api.context import Asked, Context, Fresh, Id, Shared
from services.api.dto.collections import CollectionPage
from services.api.dto.libraries import LibraryDto
from services.api.paging import PAGED, Wanted
from services.api.presence import may_be_there
from services.api.problems import not_found
from services.api.queries import libraries, removals

DECIDED = answers.command(404, 409)
POSITIONED = [answers.POSITION]


@get("/libraries/{library_id:uuid}/removals", dependencies=PAGED, responses=answers.reading(404, 422))
async def list_removals(library_id: Id, window: Wanted, fresh: Fresh) -> CollectionPage:
    """The collections that are held: a scan did not find them and asks. By path; empty when none are."""
    if await libraries.one(fresh.pool, fresh.workspace, library_id) is None:
        raise not_found("library", library_id)
    return await removals.page(fresh.pool, fresh.workspace, library_id, window)


@post(
    "/libraries/{library_id:uuid}/removals/{scan_id:uuid}/approve",
    status_code=200,
    responses=DECIDED,
    response_headers=POSITIONED,
)
async def approve_removals(
    library_id: Id, scan_id: Id, request: Asked, context: Shared, key: Key = None
) -> Response[LibraryDto]:
    """They are gone: mark them missing. They come back by themselves when a scan finds them. 409 while a scan of the
    library is open."""
    return await _decided(ApproveRemovals(library_id=library_id, scan_id=scan_id), library_id, request, context, key)


@post(
    "/libraries/{library_id:uuid}/removals/{scan_id:uuid}/reject",
    status_code=200,
    responses=DECIDED,
    response_headers=POSITIONED,
)
async def reject_removals(
    library_id: Id, scan_id: Id, request: Asked, context: Shared, key: Key = None
) -> Response[LibraryDto]:
    """They are not gone: they stay present, and no scan asks again unless more is gone. 409 while a scan of the library
    is open."""
    return await _decided(RejectRemovals(library_id=library_id, scan_id=scan_id), library_id, request, context, key)


async def _decided(
    command: RemovalsCommand, library_id: UUID, request: Asked, context: Context, key: str | None
) -> Response[LibraryDto]:
    if not await may_be_there(context, library_id):
        raise not_found("library", library_id)
    done = await commands.send(request, context, names.SCANNER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    library = await libraries.one(context.pool, context.workspace, library_id) if done.shown else None
    return Response(library, headers=done.headers) if library else commands.done_unseen(done)


HANDLERS = (list_removals, approve_removals, reject_removals)
