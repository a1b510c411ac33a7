"""libraries, under /api/v1"""

from uuid import UUID

from litestar import get

from services.api import answers
from services.api.context import Context, Fresh, Id
from services.api.dto.collections import CollectionPage
from services.api.dto.libraries import LibraryDto, LibraryPage
from services.api.paging import PAGED, Wanted
from services.api.problems import not_found
from services.api.queries import libraries as stored


@get("/libraries", dependencies=PAGED, responses=answers.reading(422))
async def list_libraries(window: Wanted, fresh: Fresh) -> LibraryPage:
    """Libraries by name."""
    return await stored.page(fresh.pool, fresh.workspace, window)


@get("/libraries/{library_id:uuid}", responses=answers.reading(404))
async def get_library(library_id: Id, fresh: Fresh) -> LibraryDto:
    """One library."""
    return await _existing(fresh, library_id)


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


HANDLERS = (list_libraries, get_library, list_collections)
