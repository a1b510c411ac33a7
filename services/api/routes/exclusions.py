"""What exclude patterns would leave out, under /api/v1: nothing is changed."""

from litestar import post

from linstock import patterns, text
from services.api import answers
from services.api.context import Fresh, Id
from services.api.dto.exclusions import ExclusionsPreviewDto, PreviewExclusionsBody
from services.api.dto.wire import Taken
from services.api.problems import invalid, not_found, wrong
from services.api.queries import exclusions, libraries


@post(
    "/libraries/{library_id:uuid}/exclusions/preview",
    status_code=200,
    responses=answers.problems(404, body=True),
)
async def preview_exclusions(library_id: Id, data: Taken[PreviewExclusionsBody], fresh: Fresh) -> ExclusionsPreviewDto:
    """What these exclude patterns would leave out of what is in the catalogue, before any is saved."""
    if await libraries.one(fresh.pool, fresh.workspace, library_id) is None:
        raise not_found("library", library_id)
    for number, line in enumerate(data.patterns):
        if reason := text.flaw(line) or patterns.flaw(line):
            raise invalid(wrong("patterns", str(number), detail=reason))
    return await exclusions.preview(fresh.pool, fresh.workspace, library_id, data.patterns, int(data.limit))


HANDLERS = (preview_exclusions,)
