"""events, under /api/v1: the feed, page by page and live"""

from functools import partial
from typing import Annotated, Any, Literal, TypeAlias

from litestar import get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromQuery, HeaderParameter, QueryParameter
from litestar.response import Stream

from services.api import answers, cursor, streams
from services.api.callers import Callers
from services.api.context import Asked, Fresh, Id, Shared
from services.api.cursor import Reset
from services.api.dto.events import EventDto, EventPage, SentEvent
from services.api.event_filter import FILTERED, Filtered
from services.api.problems import Problem, not_found
from services.api.queries import events

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200

_CURSOR = {"one_of": None, "type": OpenAPIType.STRING, "max_length": cursor.LONGEST, "pattern": cursor.PATTERN}
Place: TypeAlias = Annotated[
    str | None,
    QueryParameter(name="cursor", description="Go on here: what `next` said; or `start`", schema_extra=_CURSOR),
]
LastId: TypeAlias = Annotated[
    str | None,
    HeaderParameter(name="Last-Event-ID", description="As `cursor`, and before it", schema_extra=_CURSOR),
]
LIVE = {200: ResponseSpec(SentEvent, media_type=streams.MEDIA_TYPE, generate_examples=False, description=streams.ABOUT)}


@get("/events", dependencies=FILTERED, responses=answers.reading(410, 422))
async def list_events(
    wanted: Filtered,
    fresh: Fresh,
    place: Place = None,
    order: FromQuery[Literal["asc", "desc"]] = "asc",
    limit: Annotated[int, QueryParameter(ge=1, le=LARGEST_LIMIT)] = DEFAULT_LIMIT,
) -> EventPage:
    """Events as they happened, or the latest first. Within a log none is left out; ask again with `next`."""
    at = None if place is None else cursor.parse(place)
    try:
        if order == "asc":
            found = await events.after(fresh.pool, wanted, at or cursor.BEGINNING, limit)
        else:
            found = await events.before(fresh.pool, wanted, at, limit)
    except Reset as reset:
        raise Problem(410, "reset", str(reset)) from reset
    return EventPage(data=found.events, next=str(found.next), has_more=found.more)


@get("/events/{event_id:uuid}", responses=answers.reading(404))
async def get_event(event_id: Id, fresh: Fresh) -> EventDto:
    """One event by its CloudEvents id."""
    event = await events.one(fresh.pool, fresh.workspace, event_id)
    if event is None:
        raise not_found("event", event_id)
    return event


@get("/events/stream", dependencies=FILTERED, media_type=streams.MEDIA_TYPE, responses={**LIVE, **answers.reading(422)})
async def stream_events(
    wanted: Filtered,
    context: Shared,
    callers: NamedDependency[Callers],
    request: Asked,
    last_event_id: LastId = None,
    place: Place = None,
) -> Stream:
    """Events as they happen (SSE), from now on or from where a cursor says. Each has the cursor after it as its id."""
    given = [cursor.parse(each) for each in (last_event_id, place) if each is not None]
    at = given[0] if given else cursor.now(await events.stands(context.pool))
    still = partial(callers.still, request.user, request.headers.getall("authorization", []))
    return context.streams.open(wanted, at, still)


HANDLERS: tuple[Any, ...] = (list_events, get_event, stream_events)
