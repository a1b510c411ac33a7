"""what can't be read in a library, under /api/v1"""

from litestar import get

from services.api import answers
from services.api.context import Fresh, Id
from services.api.dto.quarantine import QuarantinePage
from services.api.paging import PAGED, Wanted
from services.api.problems import not_found
from services.api.queries import libraries, quarantine


@get("/libraries/{library_id:uuid}/quarantine", dependencies=PAGED, responses=answers.reading(404, 422))
async def list_quarantined_files(library_id: Id, window: Wanted, fresh: Fresh) -> QuarantinePage:
    """Files of a library that can't be read as images, and why, the newest first."""
    if await libraries.one(fresh.pool, fresh.workspace, library_id) is None:
        raise not_found("library", library_id)
    return await quarantine.page(fresh.pool, fresh.workspace, library_id, window)


HANDLERS = (list_quarantined_files,)
