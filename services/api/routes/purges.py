"""Forgetting what is missing, under /api/v1/libraries/{id}/missing."""

from litestar import Response, post
from msgspec import UnsetType

from linstock import names
from linstock.bus.commands import Pending
from linstock.messages.catalogue import PurgeMissing
from services.api import answers, commands
from services.api.commands import Key
from services.api.context import Asked, Id, Shared
from services.api.dto.purges import PurgeBody, PurgedDto, PurgedMissing
from services.api.dto.wire import Taken
from services.api.presence import may_be_there
from services.api.problems import not_found


@post(
    "/libraries/{library_id:uuid}/missing/purge",
    status_code=200,
    responses=answers.command(404, 409, 413, body=True),
    response_headers=[answers.POSITION],
)
async def purge_missing(
    library_id: Id, data: Taken[PurgeBody], request: Asked, context: Shared, key: Key = None
) -> Response[PurgedMissing]:
    """Forget what is missing, for good: no undo brings it back, and files that turn up there are new. What is there
    stays, and nothing on disk is touched. 409 while a scan of the library is open."""
    if not await may_be_there(context, library_id):
        raise not_found("library", library_id)
    command = PurgeMissing(
        library_id=library_id,
        older_than_days=int(data.older_than_days),
        collections=() if isinstance(data.collection_ids, UnsetType) else tuple(data.collection_ids),
        dry_run=data.dry_run,
    )
    done = await commands.send(request, context, names.SCANNER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    counts = done.answer.purged
    assert counts
    told = PurgedDto(
        library_id=library_id,
        dry_run=data.dry_run,
        missing_before=counts.missing_before,
        collections=counts.collections,
        images=counts.images,
    )
    return Response(told, headers=done.headers)


HANDLERS = (purge_missing,)
