"""What many schedules are told at once, under /api/v1: all of them, or none."""

from datetime import UTC

from litestar import Response, post
from msgspec import UNSET

from linstock import names
from linstock.bus.commands import Pending
from linstock.messages.schedule_commands import PauseSchedules, ResumeSchedules, Which
from services.api import answers, commands
from services.api.commands import Key
from services.api.context import Asked, Context, Shared
from services.api.dto.many import ManyDto, PauseManyBody, ResumeManyBody
from services.api.dto.wire import Taken
from services.api.problems import invalid, wrong
from services.api.routes.schedules import at_both


@post(at_both("/pause"), status_code=200, responses=answers.command(body=True), response_headers=[answers.POSITION])
async def pause_scheduled_jobs(
    data: Taken[PauseManyBody], request: Asked, context: Shared, key: Key = None
) -> Response[ManyDto]:
    """Pause all that are meant, or none. What is disabled, or paused for at least as long, stays as it is."""
    command = PauseSchedules(
        which=_which(data),
        reason=data.reason,
        resume_at=data.resume_at.astimezone(UTC) if data.resume_at else None,
        dry_run=data.dry_run,
    )
    return await _told(command, request, context, key)


@post(at_both("/resume"), status_code=200, responses=answers.command(body=True), response_headers=[answers.POSITION])
async def resume_scheduled_jobs(
    data: Taken[ResumeManyBody], request: Asked, context: Shared, key: Key = None
) -> Response[ManyDto]:
    """Resume all that are meant and paused, or none."""
    return await _told(ResumeSchedules(which=_which(data), dry_run=data.dry_run), request, context, key)


def _which(body: ResumeManyBody) -> Which:
    """Raises Problem."""
    ids = None if body.ids is UNSET else tuple(body.ids)
    library_id = None if body.library_id is UNSET else body.library_id
    text = "" if body.text is UNSET else body.text
    given = ids is not None or library_id is not None or bool(text)
    if body.everything == given:
        detail = "it is said alone" if given else "say which: ids, libraryId, text or all"
        raise invalid(wrong("all", detail=detail))
    return Which(ids=ids, library_id=library_id, text=text, everything=body.everything)


async def _told(
    command: PauseSchedules | ResumeSchedules, request: Asked, context: Context, key: str | None
) -> Response[ManyDto]:
    done = await commands.send(request, context, names.SCHEDULER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    many = done.answer.many
    assert many
    told = ManyDto(matched=many.matched, changed=many.changed, names=list(many.names), dry_run=command.dry_run)
    return Response(told, status_code=200, headers=done.headers)


HANDLERS = (pause_scheduled_jobs, resume_scheduled_jobs)
