"""/api/v1/libraries"""

import posixpath
from uuid import UUID

from litestar import Response, delete, get, patch, post
from msgspec import UNSET

from linstock import cron, names
from linstock.bus.commands import Pending
from linstock.messages.library import ChangeLibrary, CreateLibrary, DeleteLibrary, Settings
from services.api import commands
from services.api.bodies import body_of
from services.api.context import Asked, Context, Id, Shared
from services.api.dto import ChangeLibraryBody, CollectionDto, CreateLibraryBody, LibraryDto, OperationDto, Page
from services.api.paging import window_of
from services.api.problems import FieldError, invalid, not_found
from services.api.queries import libraries as stored

Answered = Response[LibraryDto] | Response[OperationDto]


@post("/api/v1/libraries", status_code=201, opt={"body": CreateLibraryBody, "command": True})
async def create_library(request: Asked, context: Shared) -> Answered:
    """Create a library. With autoScan on it is scanned as its cron expression says."""
    body = await body_of(request, CreateLibraryBody)
    settings = Settings(
        name=body.name.strip(),
        path=_path(body.path),
        description=body.description,
        auto_scan=body.auto_scan,
        cron_expression=body.cron_expression,
        time_zone=body.time_zone,
    )
    errors = [*_name_errors(settings.name), *_path_errors(settings.path)]
    errors += _cron_errors(settings.cron_expression, settings.time_zone)
    if errors:
        raise invalid(*errors)
    done = await commands.send(request, context, names.LIBRARY, CreateLibrary(settings=settings))
    if isinstance(done, Pending):
        return commands.later(done)
    assert done.answer.id
    headers = {**done.headers, "Location": f"/api/v1/libraries/{done.answer.id}"}
    library = await stored.one(context.pool, context.workspace, done.answer.id) if done.shown else None
    return Response(library or _as_asked(done.answer.id, settings, context), status_code=201, headers=headers)


@get("/api/v1/libraries", opt={"paged": True})
async def list_libraries(request: Asked, context: Shared) -> Page[LibraryDto]:
    """Libraries by name."""
    return await stored.page(context.pool, context.workspace, window_of(request))


@get("/api/v1/libraries/{library_id:uuid}")
async def get_library(library_id: Id, context: Shared) -> LibraryDto:
    """One library."""
    return await _existing(context, library_id)


@patch("/api/v1/libraries/{library_id:uuid}", opt={"body": ChangeLibraryBody, "command": True})
async def change_library(library_id: Id, request: Asked, context: Shared) -> Answered:
    """Change what is given. autoScan off disables the schedule and keeps its history."""
    body = await body_of(request, ChangeLibraryBody)
    name = UNSET if body.name is UNSET else body.name.strip()
    path = UNSET if body.path is UNSET else _path(body.path)
    errors = [] if name is UNSET else _name_errors(name)
    errors += [] if path is UNSET else _path_errors(path)
    # A zone or an expression alone is checked against the other's harmless default; the owner checks the pair.
    expression = "* * * * *" if body.cron_expression is UNSET else body.cron_expression
    errors += _cron_errors(expression, "UTC" if body.time_zone is UNSET else body.time_zone)
    if errors:
        raise invalid(*errors)
    command = ChangeLibrary(
        library_id=library_id,
        name=name,
        path=path,
        description=body.description,
        auto_scan=body.auto_scan,
        cron_expression=body.cron_expression,
        time_zone=body.time_zone,
    )
    done = await commands.send(request, context, names.LIBRARY, command)
    if isinstance(done, Pending):
        return commands.later(done)
    library = await stored.one(context.pool, context.workspace, library_id) if done.shown else None
    if library is None:  # the read models lag, or this is a repetition and the library was deleted since
        return commands.done_unseen(done)
    return Response(library, headers=done.headers)


@delete("/api/v1/libraries/{library_id:uuid}", status_code=200, opt={"command": True, "status": 204})
async def delete_library(library_id: Id, request: Asked, context: Shared) -> Response[None] | Response[OperationDto]:
    """Delete a library and its schedule. Nothing on disk is touched; what its runs did stays readable."""
    done = await commands.send(request, context, names.LIBRARY, DeleteLibrary(library_id=library_id))
    if isinstance(done, Pending):
        return commands.later(done)
    return Response(None, status_code=204, headers=done.headers)


@get("/api/v1/libraries/{library_id:uuid}/collections", opt={"paged": True})
async def list_collections(library_id: Id, request: Asked, context: Shared) -> Page[CollectionDto]:
    """A library's collections by path."""
    window = window_of(request)
    await _existing(context, library_id)
    return await stored.collections(context.pool, context.workspace, library_id, window)


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
    return [] if name else [FieldError("name", "a name has 1 to 200 characters")]


def _path_errors(path: str) -> list[FieldError]:
    if not path.startswith("/"):
        return [FieldError("path", "a path is absolute: it starts with /")]
    return [FieldError("path", "a path has no NUL character")] if "\0" in path else []


def _cron_errors(expression: str, zone: str) -> list[FieldError]:
    try:
        cron.check(expression, zone)
    except cron.InvalidCron as error:
        return [FieldError("timeZone" if error.field == "zone" else "cronExpression", str(error))]
    return []


HANDLERS = (create_library, list_libraries, get_library, change_library, delete_library, list_collections)
