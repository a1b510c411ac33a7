"""Runs for instants that are past, under /api/v1."""

from collections import Counter
from typing import cast

from litestar import Response, post

from linstock import names
from linstock.bus.commands import Pending
from linstock.messages.schedule_commands import BackfillSchedule
from services.api import answers, commands
from services.api.commands import Key
from services.api.context import Asked, Id, Shared
from services.api.dto.backfills import BackfillDto, BackfilledInstantDto, Outcome, ScheduledJobBackfill
from services.api.dto.schedule_bodies import BackfillBody
from services.api.dto.wire import Taken
from services.api.moments import utc
from services.api.routes.schedules import at_both


@post(
    at_both("/{schedule_id:uuid}/backfill"),
    status_code=200,
    responses=answers.command(404, 409, body=True),
    response_headers=[answers.POSITION],
)
async def backfill_scheduled_job(
    schedule_id: Id, data: Taken[BackfillBody], request: Asked, context: Shared, key: Key = None
) -> Response[ScheduledJobBackfill]:
    """Run what its expression comes to in a time that is past, each instant that never had a run once, one after
    another; also while it is paused or disabled. `dryRun`: only say what that would do."""
    command = BackfillSchedule(
        schedule_id=schedule_id,
        first=utc(data.from_, "from"),
        last=utc(data.to, "to"),
        limit=int(data.limit),
        dry_run=data.dry_run,
    )
    done = await commands.send(request, context, names.SCHEDULER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    found = done.answer.instants
    counts = Counter(each.outcome for each in found)
    told = BackfillDto(
        scheduled_job_id=schedule_id,
        dry_run=data.dry_run,
        fires=counts["fires"],
        fired_already=counts["fired_already"],
        undecided=counts["undecided"],
        data=[
            BackfilledInstantDto(instant=each.instant, outcome=cast("Outcome", each.outcome), run_id=each.run_id)
            for each in found
        ],
    )
    return Response(told, headers=done.headers)


HANDLERS = (backfill_scheduled_job,)
