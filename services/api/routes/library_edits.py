"""What libraries are told, under /api/v1. Whether their settings can be is for their owner to say."""

from typing import Any
from uuid import UUID

from litestar import Response, delete, patch, post
from msgspec import UNSET, UnsetType
from msgspec.structs import asdict

from linstock import names
from linstock.bus.commands import Pending
from linstock.messages.library import ChangeLibrary, CreateLibrary, DeleteLibrary, Settings
from services.api import answers, commands, conditional, watching
from services.api.commands import Done, Key
from services.api.conditional import IfMatch
from services.api.context import Asked, Context, Id, Shared
from services.api.dto.libraries import ChangeLibraryBody, CreateLibraryBody, WrittenLibraryDto
from services.api.dto.wire import Taken
from services.api.queries import libraries as stored


@post("/libraries", responses=answers.command(409, body=True), response_headers=[answers.LOCATION, answers.POSITION])
async def create_library(
    data: Taken[CreateLibraryBody], request: Asked, context: Shared, key: Key = None
) -> Response[WrittenLibraryDto]:
    """Create a library. With autoScan on it is scanned as its cron expression says."""
    given = {name: value for name, value in _told(data).items() if value is not UNSET}
    command = CreateLibrary(settings=Settings(**given))
    done = await commands.send(request, context, names.LIBRARY, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    assert done.answer.id
    return await _written(done, context, done.answer.id)


@patch(
    "/libraries/{library_id:uuid}",
    responses=answers.command(404, 409, 412, body=True),
    response_headers=[answers.POSITION],
)
async def change_library(
    library_id: Id,
    data: Taken[ChangeLibraryBody],
    request: Asked,
    context: Shared,
    key: Key = None,
    if_match: IfMatch = None,
) -> Response[WrittenLibraryDto]:
    """Change what is given. autoScan off disables the schedule and keeps its history."""
    command = ChangeLibrary(library_id=library_id, if_versions=conditional.versions(if_match), **_told(data))
    done = await commands.send(request, context, names.LIBRARY, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    return await _written(done, context, library_id)


@delete(
    "/libraries/{library_id:uuid}",
    responses={204: answers.NOTHING, **answers.command(404, 412)},
    response_headers=[answers.POSITION],
)
async def delete_library(
    library_id: Id, request: Asked, context: Shared, key: Key = None, if_match: IfMatch = None
) -> Response[None]:
    """Delete a library and its schedules. Nothing on disk is touched; what its runs did stays readable."""
    command = DeleteLibrary(library_id=library_id, if_versions=conditional.versions(if_match))
    done = await commands.send(request, context, names.LIBRARY, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    return Response(None, status_code=204, headers=done.headers)


def _told(body: CreateLibraryBody | ChangeLibraryBody) -> dict[str, Any]:
    """As the owner names it."""
    guard = UNSET if isinstance(body.guard, UnsetType) else body.guard.told()
    days = body.purge_missing_after_days
    after = days if isinstance(days, UnsetType) else int(days)
    return {**asdict(body), "guard": guard, "purge_missing_after_days": after}


async def _written(done: Done, context: Context, library_id: UUID) -> Response[WrittenLibraryDto]:
    library = await stored.one(context.pool, context.workspace, library_id) if done.shown else None
    if library is None:
        return commands.done_unseen(done)
    watching.add(context, [library])
    headers = {**done.headers, "ETag": conditional.tag(library)}
    if done.answer.status == 201:
        headers["Location"] = f"/api/v1/libraries/{library_id}"
    written = WrittenLibraryDto(**asdict(library), warnings=list(done.answer.warnings))
    return Response(written, status_code=done.answer.status, headers=headers)


HANDLERS = (create_library, change_library, delete_library)
