"""Keeping house, under /api/v1/maintenance"""

from litestar import Response, post

from linstock import names
from linstock.bus.commands import Pending
from linstock.messages.maintenance import RequestCleaning
from services.api import answers, commands
from services.api.commands import Key
from services.api.context import Asked, Shared
from services.api.dto.maintenance import CleaningBody, CleaningStarted, CleaningStartedDto
from services.api.dto.operations import OperationDto
from services.api.dto.wire import Taken
from services.api.routes.triggers import ASKED_FOR

CLEANING = CleaningBody()


@post(
    "/maintenance/thumbnails/clean",
    status_code=202,
    responses=answers.problems(body=True),
    response_description=ASKED_FOR,
    response_headers=[answers.LOCATION, answers.POSITION],
    operation_class=answers.BodyOptional,
)
async def clean_thumbnails(
    request: Asked, context: Shared, data: Taken[CleaningBody] = CLEANING, key: Key = None
) -> Response[CleaningStarted | OperationDto]:
    """Remove thumbnails that no collection has as its cover, of all workspaces. It comes by itself once a day; the
    run's result says what went. With dryRun nothing does."""
    command = RequestCleaning(dry_run=data.dry_run)
    done = await commands.send(request, context, names.SCHEDULER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    assert done.answer.id
    headers = {**done.headers, "Location": f"/api/v1/runs/{done.answer.id}"}
    return Response(CleaningStartedDto(id=done.answer.id, dry_run=data.dry_run), status_code=202, headers=headers)


HANDLERS = (clean_thumbnails,)
