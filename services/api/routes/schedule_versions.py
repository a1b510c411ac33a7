"""What a scheduled job was, what changed, and back to it, under /api/v1"""

from typing import Annotated

from litestar import Response, get, post
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, QueryParameter

from services.api import answers, conditional
from services.api.commands import Key
from services.api.conditional import IfMatch
from services.api.context import Asked, Fresh, Id
from services.api.dto.schedule_bodies import RestoreBody
from services.api.dto.schedule_versions import ScheduledJobVersionDiffDto, ScheduledJobVersionPage
from services.api.dto.schedules import ScheduledJobDto
from services.api.dto.wire import Taken
from services.api.paging import PAGED, Wanted
from services.api.problems import FieldError, invalid, not_found
from services.api.queries import schedule_versions, schedules
from services.api.routes.schedule_edits import ONE, told
from services.api.routes.schedules import at_both

CURRENT = "current"
LONGEST = 9  # digits
Against = Annotated[
    str | None,
    QueryParameter(
        description="A version, or `current`. Default: the one before",
        schema_extra={"one_of": None, "type": OpenAPIType.STRING, "pattern": r"^(current|[0-9]{1,9})$"},
    ),
]


@get(at_both("/{schedule_id:uuid}/versions"), dependencies=PAGED, responses=answers.reading(404, 422))
async def list_scheduled_job_versions(schedule_id: Id, window: Wanted, fresh: Fresh) -> ScheduledJobVersionPage:
    """Which expression was in force when, and who said so, the newest first; also of a deleted schedule."""
    if not await schedules.exists(fresh.pool, fresh.workspace, schedule_id):
        raise not_found("scheduled job", schedule_id)
    return await schedule_versions.page(fresh.pool, fresh.workspace, schedule_id, window)


@get(at_both("/{schedule_id:uuid}/versions/{number:int}/diff"), responses=answers.reading(404, 422))
async def diff_scheduled_job_version(
    schedule_id: Id, number: FromPath[int], fresh: Fresh, against: Against = None
) -> ScheduledJobVersionDiffDto:
    """What is different in a version, from what it was in the one before, or in another; also of a deleted schedule."""
    base = number - 1 if against is None else _number(against)
    if not await schedules.exists(fresh.pool, fresh.workspace, schedule_id):
        raise not_found("scheduled job", schedule_id)
    there = await schedule_versions.one(fresh.pool, fresh.workspace, schedule_id, number)
    here = await schedule_versions.one(fresh.pool, fresh.workspace, schedule_id, base)
    if there is None or here is None:
        raise not_found("version", number if there is None else base)
    return ScheduledJobVersionDiffDto(version=there.number, against=here.number, changes=here.changes_to(there))


@post(
    at_both(f"{ONE}/restore"),
    status_code=200,
    responses=answers.command(404, 412, body=True),
    response_headers=[answers.POSITION],
)
async def restore_scheduled_job(
    schedule_id: Id,
    data: Taken[RestoreBody],
    request: Asked,
    fresh: Fresh,
    key: Key = None,
    if_match: IfMatch = None,
) -> Response[ScheduledJobDto]:
    """A new version that is what an old one was: name, description, times, rules, and how its runs are run. It stays on
    or off, and of its library. What is past never fires under the times that come back."""
    if not await schedules.exists(fresh.pool, fresh.workspace, schedule_id):
        raise not_found("scheduled job", schedule_id)
    # What a version is never changes: once it is there, it can't be out of date.
    stored = await schedule_versions.one(fresh.pool, fresh.workspace, schedule_id, int(data.version))
    if stored is None:
        raise not_found("version", int(data.version))
    command = stored.restoring(schedule_id, conditional.versions(if_match))
    return await told(command, request, fresh, key)


def _number(against: str) -> int | None:
    """None: the newest. Raises Problem 422."""
    if against == CURRENT:
        return None
    if not (against.isascii() and against.isdigit() and len(against) <= LONGEST):
        raise invalid(FieldError("it is the number of a version, or current", parameter="against"))
    return int(against)


HANDLERS = (list_scheduled_job_versions, diff_scheduled_job_version, restore_scheduled_job)
