"""Work that is asked for, or no longer wanted, under /api/v1."""

from typing import Annotated

from litestar import Response, post
from litestar.params import BodyKwarg
from msgspec import UNSET, UnsetType

from linstock import names
from linstock.bus.commands import Pending
from linstock.messages.hints import HintPaths
from linstock.messages.job import CancelRun, PauseRun, ResumeRun
from linstock.messages.message import Message
from linstock.messages.schedule import ScanPath
from linstock.messages.schedule_commands import RequestScan, TriggerSchedule
from services.api import answers, commands
from services.api.commands import Key
from services.api.context import Asked, Context, Id, Shared
from services.api.dto.operations import OperationDto
from services.api.dto.scan_modes import ours
from services.api.dto.scans import HintBody, HintedDto, ScanStartedDto, ScopeBody, StartScanBody
from services.api.dto.schedule_bodies import CancelBody, RestBody, TriggerBody
from services.api.dto.schedules import ScheduledJobRunDto
from services.api.dto.wire import Taken
from services.api.presence import may_be_there
from services.api.problems import not_found
from services.api.queries import runs
from services.api.routes.schedules import at_both

SCAN = StartScanBody()
TRIGGER = TriggerBody()
CANCEL = CancelBody()
REST = RestBody()
# Exactly this, so that it is told apart from an operation.
Started = Annotated[ScanStartedDto, BodyKwarg(schema_extra={"additional_properties": False})]
Hinted = Annotated[HintedDto, BodyKwarg(schema_extra={"additional_properties": False})]
ASKED_FOR = "Asked for, or only stored so far: `Location` says where its outcome is"


@post(
    "/libraries/{library_id:uuid}/scans",
    status_code=202,
    responses=answers.problems(404, 409, body=True),
    response_description=ASKED_FOR,
    response_headers=[answers.LOCATION, answers.POSITION],
    operation_class=answers.BodyOptional,
)
async def start_scan(
    library_id: Id, request: Asked, context: Shared, data: Taken[StartScanBody] = SCAN, key: Key = None
) -> Response[Started | OperationDto]:
    """Scan a library now. One scan of a library at a time: 409 while one is open."""
    if not await may_be_there(context, library_id):
        raise not_found("library", library_id)
    command = RequestScan(
        library_id=library_id,
        triggered_by=data.triggered_by,
        scan_mode=_mode(data),
        scope=() if isinstance(data.scope, UnsetType) else (_path(data.scope),),
        dry_run=data.dry_run,
    )
    return await _started(command, "scans", request, context, key)


@post(
    "/libraries/{library_id:uuid}/hints",
    status_code=200,
    responses=answers.command(404, body=True),
    response_description="Noted",
    response_headers=[answers.POSITION],
)
async def hint_paths(
    library_id: Id, request: Asked, context: Shared, data: Taken[HintBody], key: Key = None
) -> Response[Hinted | OperationDto]:
    """Say what has changed on disk. One scan of just that follows once nobody has said anything for 2 s, or 30 s after
    the first; after the open one, if there is one. Of the whole library, if more than 100 folders were named."""
    if not await may_be_there(context, library_id):
        raise not_found("library", library_id)
    paths = tuple(ScanPath(path=path.removesuffix("/")) for path in data.paths)
    command = HintPaths(library_id=library_id, paths=paths)
    done = await commands.send(request, context, names.SCHEDULER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    return Response(HintedDto(paths=len(paths)), status_code=200, headers=done.headers)


@post(
    at_both("/{schedule_id:uuid}/trigger"),
    status_code=202,
    responses=answers.problems(404, 409, body=True),
    response_description=ASKED_FOR,
    response_headers=[answers.LOCATION, answers.POSITION],
    operation_class=answers.BodyOptional,
)
async def trigger_scheduled_job(
    schedule_id: Id, request: Asked, context: Shared, data: Taken[TriggerBody] = TRIGGER, key: Key = None
) -> Response[Started | OperationDto]:
    """Run it now, also while it is disabled. 409 while a scan of its library is open."""
    command = TriggerSchedule(
        schedule_id=schedule_id,
        triggered_by=data.triggered_by,
        scan_mode=UNSET if isinstance(data.scan_mode, UnsetType) else ours(data.scan_mode),
    )
    return await _started(command, "runs", request, context, key)


@post(
    "/runs/{run_id:uuid}/cancel",
    status_code=200,
    responses=answers.command(404, 409, body=True),
    response_headers=[answers.POSITION],
    operation_class=answers.BodyOptional,
)
async def cancel_run(
    run_id: Id, request: Asked, context: Shared, data: Taken[CancelBody] = CANCEL, key: Key = None
) -> Response[ScheduledJobRunDto]:
    """Stop a run, or never start it. 409 when it has ended already."""
    return await _told(CancelRun(job_id=run_id, reason=data.reason), request, context, key)


@post(
    "/runs/{run_id:uuid}/pause",
    status_code=200,
    responses=answers.command(404, 409, body=True),
    response_headers=[answers.POSITION],
    operation_class=answers.BodyOptional,
)
async def pause_run(
    run_id: Id, request: Asked, context: Shared, data: Taken[RestBody] = REST, key: Key = None
) -> Response[ScheduledJobRunDto]:
    """Let a scan rest, whether it runs or waits. It keeps what it has done, has no deadline meanwhile, and stays the
    one open scan of its library. 409 when it has ended already, or is no scan."""
    return await _told(PauseRun(job_id=run_id, reason=data.reason), request, context, key)


@post(
    "/runs/{run_id:uuid}/resume",
    status_code=200,
    responses=answers.command(404, 409, body=True),
    response_headers=[answers.POSITION],
    operation_class=answers.BodyOptional,
)
async def resume_run(
    run_id: Id, request: Asked, context: Shared, data: Taken[RestBody] = REST, key: Key = None
) -> Response[ScheduledJobRunDto]:
    """Let a paused scan go on where it was. 409 when it has ended, or is no scan."""
    return await _told(ResumeRun(job_id=run_id, reason=data.reason), request, context, key)


async def _told(
    command: CancelRun | PauseRun | ResumeRun, request: Asked, context: Context, key: str | None
) -> Response[ScheduledJobRunDto]:
    done = await commands.send(request, context, names.SCHEDULER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    run = await runs.one(context.pool, context.workspace, command.job_id) if done.shown else None
    return Response(run, headers=done.headers) if run else commands.done_unseen(done)


def _mode(body: StartScanBody) -> str:
    word = body.scan_type if isinstance(body.scan_mode, UnsetType) else body.scan_mode
    return "changed" if isinstance(word, UnsetType) else ours(word)


def _path(scope: ScopeBody) -> ScanPath:
    """A folder may end with a slash. No path is all of the library."""
    return ScanPath(
        path=scope.path.removesuffix("/"),
        path_bytes=None if isinstance(scope.path_bytes, UnsetType) else scope.path_bytes.removesuffix(b"/"),
    )


async def _started(
    command: Message, where: str, request: Asked, context: Context, key: str | None
) -> Response[Started | OperationDto]:
    done = await commands.send(request, context, names.SCHEDULER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    assert done.answer.id
    headers = {**done.headers, "Location": f"/api/v1/{where}/{done.answer.id}"}
    return Response(ScanStartedDto(id=done.answer.id), status_code=202, headers=headers)


HANDLERS = (start_scan, hint_paths, trigger_scheduled_job, cancel_run, pause_run, resume_run)
