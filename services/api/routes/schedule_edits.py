"""What schedules are told, under /api/v1: /scheduledjobs and /schedules are one resource."""

from uuid import UUID

from litestar import Response, delete, post
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from msgspec import UNSET, UnsetType

from linstock import names
from linstock.bus.commands import Pending
from linstock.messages.library import DEFAULT_CRON
from linstock.messages.message import Message
from linstock.messages.rules import ChangedRules, Rules, Timing
from linstock.messages.schedule import JobPolicy
from linstock.messages.schedule_commands import (
    ChangeSchedule,
    CreateSchedule,
    DeleteSchedule,
    DisableSchedule,
    EnableSchedule,
    PauseSchedule,
    ResumeSchedule,
)
from services.api import answers, commands, conditional
from services.api.commands import Key
from services.api.conditional import IfMatch
from services.api.context import Asked, Context, Id, Shared
from services.api.dto.scan_modes import ours
from services.api.dto.schedule_bodies import ChangeScheduledJobBody, CreateScheduledJobBody, PauseBody
from services.api.dto.schedule_rules import whole
from services.api.dto.schedules import ScheduledJobDto
from services.api.dto.wire import Taken
from services.api.moments import utc
from services.api.presence import may_be_there
from services.api.problems import invalid, wrong
from services.api.queries import schedules as stored
from services.api.routes.schedules import at_both

EDITED = [answers.POSITION]
PAUSE = PauseBody()
ONE = "/{schedule_id:uuid}"


@post(
    at_both(""),
    responses=answers.command(body=True),
    response_headers=[answers.LOCATION, answers.POSITION],
)
async def create_scheduled_job(
    data: Taken[CreateScheduledJobBody], request: Asked, context: Shared, key: Key = None
) -> Response[ScheduledJobDto]:
    """Give a library a further schedule; one whose own schedule was deleted gets that back."""
    library_id, where = _library_of(data)
    expression = _expression(data)
    if not await may_be_there(context, library_id):
        raise invalid(wrong(*where, detail=f"there is no library {library_id}"))
    command = CreateSchedule(
        library_id=library_id,
        timing=Timing(
            expression=DEFAULT_CRON if expression is UNSET else expression,
            zone=data.time_zone,
            days="and" if data.days is UNSET else data.days,
            clock_changes="cronos" if data.clock_changes is UNSET else data.clock_changes,
        ),
        name="" if data.name is UNSET else data.name,
        description=data.description,
        enabled=data.is_enabled,
        policy=JobPolicy(
            priority=int(data.priority),
            timeout_s=_seconds(data.timeout_minutes),
            max_retries=int(data.max_retry_attempts),
        ),
        scan_mode=ours(data.scan_mode),
        rules=_first_rules(data.changed_rules()),
        calendars=() if data.calendars is UNSET else tuple(data.calendars),
    )
    return await told(command, request, context, key)


async def change_scheduled_job(
    schedule_id: Id,
    data: Taken[ChangeScheduledJobBody],
    request: Asked,
    context: Shared,
    key: Key = None,
    if_match: IfMatch = None,
) -> Response[ScheduledJobDto]:
    """Change what is given, at once. Instants that are past never fire under new timing."""
    expression = _expression(data)
    if data.schedule_type == "Cron" and expression is UNSET:
        raise invalid(wrong("cronExpression", detail="an expression is needed"))
    command = ChangeSchedule(
        schedule_id=schedule_id,
        name=data.name,
        description=data.description,
        expression=expression,
        zone=data.time_zone,
        enabled=data.is_enabled,
        priority=whole(data.priority),
        timeout_s=UNSET if isinstance(data.timeout_minutes, UnsetType) else _seconds(data.timeout_minutes),
        max_retries=whole(data.max_retry_attempts),
        scan_mode=UNSET if isinstance(data.scan_mode, UnsetType) else ours(data.scan_mode),
        days=data.days,
        clock_changes=data.clock_changes,
        rules=data.changed_rules(),
        calendars=UNSET if data.calendars is UNSET else tuple(data.calendars),
        if_versions=conditional.versions(if_match),
    )
    return await told(command, request, context, key)


@post(
    at_both(f"{ONE}/enable"), status_code=200, responses=answers.command(404, 412), response_headers=[answers.POSITION]
)
async def enable_scheduled_job(
    schedule_id: Id, request: Asked, context: Shared, key: Key = None, if_match: IfMatch = None
) -> Response[ScheduledJobDto]:
    """Switch it on. A library's own schedule takes the library's autoScan along."""
    command = EnableSchedule(schedule_id=schedule_id, if_versions=conditional.versions(if_match))
    return await told(command, request, context, key)


@post(
    at_both(f"{ONE}/disable"), status_code=200, responses=answers.command(404, 412), response_headers=[answers.POSITION]
)
async def disable_scheduled_job(
    schedule_id: Id, request: Asked, context: Shared, key: Key = None, if_match: IfMatch = None
) -> Response[ScheduledJobDto]:
    """Switch it off. Its history stays; a library's own schedule takes the library's autoScan along."""
    command = DisableSchedule(schedule_id=schedule_id, if_versions=conditional.versions(if_match))
    return await told(command, request, context, key)


@post(
    at_both(f"{ONE}/pause"),
    status_code=200,
    responses=answers.command(404, 409, 412, body=True),
    response_headers=[answers.POSITION],
    operation_class=answers.BodyOptional,
)
async def pause_scheduled_job(
    schedule_id: Id,
    request: Asked,
    context: Shared,
    data: Taken[PauseBody] = PAUSE,
    key: Key = None,
    if_match: IfMatch = None,
) -> Response[ScheduledJobDto]:
    """Fire no more until it is resumed, or until `resumeAt`; a library's autoScan stays as it is. What passes meanwhile
    is not made up for. 409 while it is disabled."""
    command = PauseSchedule(
        schedule_id=schedule_id,
        reason=data.reason,
        resume_at=utc(data.resume_at, "resumeAt") if data.resume_at else None,
        if_versions=conditional.versions(if_match),
    )
    return await told(command, request, context, key)


@post(
    at_both(f"{ONE}/resume"),
    status_code=200,
    responses=answers.command(404, 409, 412),
    response_headers=[answers.POSITION],
)
async def resume_scheduled_job(
    schedule_id: Id, request: Asked, context: Shared, key: Key = None, if_match: IfMatch = None
) -> Response[ScheduledJobDto]:
    """Fire again, from now on. 409 while it is disabled."""
    command = ResumeSchedule(schedule_id=schedule_id, if_versions=conditional.versions(if_match))
    return await told(command, request, context, key)


@delete(
    at_both(ONE),
    responses={204: answers.NOTHING, **answers.command(404, 412)},
    response_headers=EDITED,
)
async def delete_scheduled_job(
    schedule_id: Id, request: Asked, context: Shared, key: Key = None, if_match: IfMatch = None
) -> Response[None]:
    """Delete it; its runs stay readable. A library's own schedule comes back when autoScan is switched on again."""
    command = DeleteSchedule(schedule_id=schedule_id, if_versions=conditional.versions(if_match))
    done = await commands.send(request, context, names.SCHEDULER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    return Response(None, status_code=204, headers=done.headers)


async def told(command: Message, request: Asked, context: Context, key: str | None) -> Response[ScheduledJobDto]:
    done = await commands.send(request, context, names.SCHEDULER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    assert done.answer.id
    seen = await stored.one(context.pool, context.workspace, done.answer.id, context.now()) if done.shown else None
    if seen is None:  # the read models lag, or this is a repetition and it was deleted since
        return commands.done_unseen(done)
    location = {"Location": f"/api/v1/scheduledjobs/{seen.id}"} if done.answer.status == 201 else {}
    headers = {**done.headers, "ETag": conditional.tag(seen), **location}
    return Response(seen, status_code=done.answer.status, headers=headers)


def _library_of(body: CreateScheduledJobBody) -> tuple[UUID, tuple[str, ...]]:
    """Which library, and where the body says so. Raises Problem."""
    inner = body.parameters.library_id if body.parameters else None
    outer = body.library_id or None
    if inner and outer and inner != outer:
        raise invalid(wrong("parameters", "LibraryId", detail="it is another library than libraryId"))
    if inner:
        return inner, ("parameters", "LibraryId")
    if outer:
        return outer, ("libraryId",)
    raise invalid(wrong("parameters", "LibraryId", detail="a library is needed, here or as libraryId"))


def _expression(body: CreateScheduledJobBody | ChangeScheduledJobBody) -> str | UnsetType:
    """UNSET when none is given. Raises Problem."""
    minutes = None if body.interval_minutes is UNSET else body.interval_minutes
    if body.schedule_type == "Interval" and minutes is None:
        raise invalid(wrong("intervalMinutes", detail="an interval is needed"))
    if minutes is None:
        return body.cron_expression
    if body.schedule_type == "Cron" or body.cron_expression is not UNSET:
        raise invalid(wrong("intervalMinutes", detail="it is either an interval or an expression"))
    return f"@every {int(minutes)}m"


def _first_rules(given: ChangedRules) -> Rules:
    named = {field: getattr(given, field) for field in Rules.__struct_fields__}
    return Rules(**{field: value for field, value in named.items() if value is not UNSET})


def _seconds(minutes: float) -> int:
    return max(1, round(minutes * 60))


HANDLERS = (
    create_scheduled_job,
    HTTPRouteHandler(
        at_both(ONE),
        http_method=[HttpMethod.PATCH, HttpMethod.PUT],
        responses=answers.command(404, 412, body=True),
        response_headers=EDITED,
    )(change_scheduled_job),
    enable_scheduled_job,
    disable_scheduled_job,
    pause_scheduled_job,
    resume_scheduled_job,
    delete_scheduled_job,
)
