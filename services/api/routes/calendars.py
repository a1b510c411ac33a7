"""Calendars, under /api/v1. Which days and names there may be is for their owner to say."""

from litestar import Response, delete, get, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath

from linstock import names
from linstock.bus.commands import Pending
from linstock.messages.calendar import DeleteCalendar, PutCalendar
from services.api import answers, commands, conditional
from services.api.commands import Key
from services.api.conditional import IfMatch
from services.api.context import Asked, Fresh, Shared
from services.api.dto.calendars import CalendarDto, CalendarPage, PutCalendarBody
from services.api.dto.wire import Taken
from services.api.paging import PAGED, Wanted
from services.api.problems import not_found
from services.api.queries import calendars as stored

CREATED = ResponseSpec(CalendarDto, generate_examples=False, description="It is new")


@get("/calendars", dependencies=PAGED, responses=answers.reading(422))
async def list_calendars(window: Wanted, fresh: Fresh) -> CalendarPage:
    """Calendars by name: days on which schedules that use them do not fire."""
    return await stored.page(fresh.pool, fresh.workspace, window)


@get("/calendars/{name:str}", responses=answers.reading(404))
async def get_calendar(name: FromPath[str], fresh: Fresh) -> CalendarDto:
    """One calendar with its days."""
    calendar = await stored.one(fresh.pool, fresh.workspace, name)
    if calendar is None:
        raise not_found("calendar", name)
    return calendar


@put(
    "/calendars/{name:str}",
    responses={201: CREATED, **answers.command(412, body=True)},
    response_headers=[answers.POSITION],
)
async def put_calendar(
    name: FromPath[str],
    data: Taken[PutCalendarBody],
    request: Asked,
    context: Shared,
    key: Key = None,
    if_match: IfMatch = None,
) -> Response[CalendarDto]:
    """Make a calendar, or replace all of it. Every schedule that uses it gets a new version with the new days."""
    command = PutCalendar(
        name=name,
        description=data.description,
        days=tuple(data.days),
        if_versions=conditional.versions(if_match),
    )
    done = await commands.send(request, context, names.SCHEDULER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    calendar = await stored.one(context.pool, context.workspace, name) if done.shown else None
    if calendar is None:
        return commands.done_unseen(done)
    headers = {**done.headers, "ETag": conditional.tag(calendar)}
    return Response(calendar, status_code=done.answer.status, headers=headers)


@delete(
    "/calendars/{name:str}",
    responses={204: answers.NOTHING, **answers.command(404, 409, 412)},
    response_headers=[answers.POSITION],
)
async def delete_calendar(
    name: FromPath[str], request: Asked, context: Shared, key: Key = None, if_match: IfMatch = None
) -> Response[None]:
    """Delete a calendar. 409 while schedules use it."""
    command = DeleteCalendar(name=name, if_versions=conditional.versions(if_match))
    done = await commands.send(request, context, names.SCHEDULER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    return Response(None, status_code=204, headers=done.headers)


HANDLERS = (list_calendars, get_calendar, put_calendar, delete_calendar)
