"""What files hold: the same as others, or not what they should. Under /api/v1"""

from litestar import Response, get, post

from linstock import names
from linstock.bus.commands import Pending
from linstock.messages.contents import AcceptRot
from services.api import answers, commands
from services.api.commands import Key
from services.api.context import Asked, Fresh, Id
from services.api.dto.contents import AcceptedRot, DuplicatePage, RotAcceptedDto, RotPage
from services.api.filters import LibraryId
from services.api.paging import PAGED, Wanted
from services.api.problems import not_found
from services.api.queries import contents, libraries


@get("/duplicates", dependencies=PAGED, responses=answers.reading(422))
async def list_duplicates(window: Wanted, fresh: Fresh, library_id: LibraryId = None) -> DuplicatePage:
    """Files that hold the very same bytes, those first of which most can be reclaimed. Only what `verify` scans have
    hashed is known. Hard links to one file count as copies of it."""
    return await contents.duplicates(fresh.pool, fresh.workspace, library_id, window)


@get("/libraries/{library_id:uuid}/rot", dependencies=PAGED, responses=answers.reading(404, 422))
async def list_rot(library_id: Id, window: Wanted, fresh: Fresh) -> RotPage:
    """Files of a library that hold other bytes than when they were hashed, though nobody changed them. By path."""
    if await libraries.one(fresh.pool, fresh.workspace, library_id) is None:
        raise not_found("library", library_id)
    return await contents.rot(fresh.pool, fresh.workspace, library_id, window)


@post(
    "/libraries/{library_id:uuid}/rot/accept",
    status_code=200,
    responses=answers.command(404),
    response_headers=[answers.POSITION],
)
async def accept_rot(library_id: Id, request: Asked, fresh: Fresh, key: Key = None) -> Response[AcceptedRot]:
    """What the rotten files of a library hold now is right (250 at a time)."""
    if await libraries.one(fresh.pool, fresh.workspace, library_id) is None:
        raise not_found("library", library_id)
    done = await commands.send(request, fresh, names.SCANNER, AcceptRot(library_id=library_id), key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    accepted = done.answer.many.changed if done.answer.many else 0
    return Response(RotAcceptedDto(accepted=accepted), headers=done.headers)


HANDLERS = (list_duplicates, list_rot, accept_rot)
