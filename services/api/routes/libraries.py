"""libraries, under /api/v1"""

from litestar import get
from litestar.params import FromQuery

from services.api import answers, watching
from services.api.context import Fresh, Id
from services.api.dto.libraries import LibraryDto, LibraryPage, LibrarySort
from services.api.filters import Text
from services.api.paging import PAGED, Wanted
from services.api.problems import not_found
from services.api.queries import libraries as stored


@get("/libraries", dependencies=PAGED, responses=answers.reading(422))
async def list_libraries(
    window: Wanted, fresh: Fresh, text: Text = "", sort: FromQuery[LibrarySort] = "name"
) -> LibraryPage:
    """Libraries. `text` is part of the name, the path or the description, whatever its case."""
    page = await stored.page(fresh.pool, fresh.workspace, text, sort, window)
    watching.add(fresh, page.data)
    return page


@get("/libraries/{library_id:uuid}", responses=answers.reading(404))
async def get_library(library_id: Id, fresh: Fresh) -> LibraryDto:
    """One library, and how changes on its disk are noticed."""
    library = await stored.one(fresh.pool, fresh.workspace, library_id)
    if library is None:
        raise not_found("library", library_id)
    watching.add(fresh, [library])
    return library


HANDLERS = (list_libraries, get_library)
