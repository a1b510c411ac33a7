"""libraries, under /api/v1"""

import posixpath
from uuid import UUID

from litestar import Response, delete, get, patch, post
from msgspec import UNSET

from linstock import cron, names
from linstock.bus.commands import Pending
from linstock.messages.library import ChangeLibrary, CreateLibrary, DeleteLibrary, Settings
from services.api import answers, commands
from services.api.commands import Key
from services.api.context import Asked, Context, Fresh, Id, Shared
from services.api.dto.collections import CollectionPage
from services.api.dto.libraries import ChangeLibraryBody, CreateLibraryBody, LibraryDto, LibraryPage
from services.api.dto.wire import Taken
from services.api.paging import PAGED, Wanted
from services.api.problems import FieldError, invalid, not_found, wrong
from services.api.queries import libraries as stored


@post("/libraries", responses=answers.command(409, body=True), response_headers=[answers.LOCATION, answers.POSITION])
async def create_library(
    data: Taken[CreateLibraryBody], request: Asked, context: Shared, key: Key = None
) -> Response[LibraryDto]:
    """Create a library. With autoScan on it is scanned as its cron expression says."""
    settings = Settings(
        name=data.name.strip(),
        path=_path(data.path),
        description=data.description,
        auto_scan=data.auto_scan,
        cron_expression=data.cron_expression,
        time_zone=data.time_zone,
    )
    errors = [*_name_errors(settings.name), *_path_errors(settings.path)]
    errors += _cron_errors(settings.cron_expression, settings.time_zone)
    if errors:
        raise invalid(*errors)
    done = await commands.send(request, context, names.LIBRARY, CreateLibrary(settings=settings), key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    assert done.answer.id
    headers = {**done.headers, "Location": f"/api/v1/libraries/{done.answer.id}"}
    library = await stored.one(context.pool, context.workspace, done.answer.id) if done.shown else None
    return Response(library or _as_asked(done.answer.id, settings, context), status_code=201, headers=headers)


@get("/libraries", dependencies=PAGED, responses=answers.reading(422))
async def list_libraries(window: Wanted, fresh: Fresh) -> LibraryPage:
    """Libraries by name."""
    return await stored.page(fresh.pool, fresh.workspace, window)


@get("/libraries/{library_id:uuid}", responses=answers.reading(404))
async def get_library(library_id: Id, fresh: Fresh) -> LibraryDto:
    """One library."""
    return await _existing(fresh, library_id)


@patch(
    "/libraries/{library_id:uuid}", responses=answers.command(404, 409, body=True), response_headers=[answers.POSITION]
)
async def change_library(
    library_id: Id, data: Taken[ChangeLibraryBody], request: Asked, context: Shared, key: Key = None
) -> Response[LibraryDto]:
    """Change what is given. autoScan off disables the schedule and keeps its history."""
    name = UNSET if data.name is UNSET else data.name.strip()
    path = UNSET if data.path is UNSET else _path(data.path)
    errors = [] if name is UNSET else _name_errors(name)
    errors += [] if path is UNSET else _path_errors(path)
    # A zone or an expression alone is checked against the other's harmless default; the owner checks the pair.
    expression = "* * * * *" if data.cron_expression is UNSET else data.cron_expression
    errors += _cron_errors(expression, "UTC" if data.time_zone is UNSET else data.time_zone)
    if errors:
        raise invalid(*errors)
    command = ChangeLibrary(
        library_id=library_id,
        name=name,
        path=path,
        description=data.description,
        auto_scan=data.auto_scan,
        cron_expression=data.cron_expression,
        time_zone=data.time_zone,
    )
    done = await commands.send(request, context, names.LIBRARY, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    library = await stored.one(context.pool, context.workspace, library_id) if done.shown else None
    if library is None:  # the read models lag, or this is a repetition and the library was deleted since
        return commands.done_unseen(done)
    return Response(library, headers=done.headers)


@delete(
    "/libraries/{library_id:uuid}",
    responses={204: answers.NOTHING, **answers.command(404)},
    response_headers=[answers.POSITION],
)
async def delete_library(library_id: Id, request: Asked, context: Shared, key: Key = None) -> Response[None]:
    """Delete a library and its schedule. Nothing on disk is touched; what its runs did stays readable."""
    done = await commands.send(request, context, names.LIBRARY, DeleteLibrary(library_id=library_id), key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    return Response(None, status_code=204, headers=done.headers)


@get("/libraries/{library_id:uuid}/collections", dependencies=PAGED, responses=answers.reading(404, 422))
async def list_collections(library_id: Id, window: Wanted, fresh: Fresh) -> CollectionPage:
    """A library's collections by path."""
    await _existing(fresh, library_id)
    return await stored.collections(fresh.pool, fresh.workspace, library_id, window)


async def _existing(context: Context, library_id: UUID) -> LibraryDto:
    library = await stored.one(context.pool, context.workspace, library_id)
    if library is None:
        raise not_found("library", library_id)
    return library


def _as_asked(library_id: UUID, settings: Settings, context: Context) -> LibraryDto:
    """What the read models will show."""
    now = context.now()
    return LibraryDto(
        id=library_id,
        name=settings.name,
        path=settings.path,
        description=settings.description,
        auto_scan=settings.auto_scan,
        cron_expression=settings.cron_expression,
        time_zone=settings.time_zone,
        created_at=now,
        updated_at=now,
    )


def _path(given: str) -> str:
    """Without `..`, doubled and trailing slashes; POSIX keeps two leading ones, and we do not."""
    normal = posixpath.normpath(given) if given.startswith("/") else given
    return normal[1:] if normal.startswith("//") else normal


def _name_errors(name: str) -> list[FieldError]:
    return [] if name else [wrong("name", detail="a name has 1 to 200 characters")]


def _path_errors(path: str) -> list[FieldError]:
    if not path.startswith("/"):
        return [wrong("path", detail="a path is absolute: it starts with /")]
    return [wrong("path", detail="a path has no NUL character")] if "\0" in path else []


def _cron_errors(expression: str, zone: str) -> list[FieldError]:
    try:
        cron.check(expression, zone)
    except cron.InvalidCron as error:
        return [wrong("timeZone" if error.field == "zone" else "cronExpression", detail=str(error))]
    return []


HANDLERS = (create_library, list_libraries, get_library, change_library, delete_library, list_collections)
