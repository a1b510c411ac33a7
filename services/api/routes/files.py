"""files of a collection, under /api/v1"""

from litestar import get

from services.api import answers
from services.api.context import Fresh, Id
from services.api.dto.files import FilePage
from services.api.filters import Text
from services.api.paging import PAGED, Wanted
from services.api.problems import not_found
from services.api.queries import files


@get("/collections/{collection_id:uuid}/files", dependencies=PAGED, responses=answers.reading(404, 422))
async def list_files(
    collection_id: Id,
    window: Wanted,
    fresh: Fresh,
    text: Text = "",
) -> FilePage:
    """A collection's images by name. `text` is part of the name."""
    page = await files.page(fresh.pool, fresh.workspace, collection_id, window, text=text)
    if page is None:
        raise not_found("collection", collection_id)
    return page


HANDLERS = (list_files,)
