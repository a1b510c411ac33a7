"""One run as it goes, as server-sent events: what GET /runs/{id} would say, whenever that is something else."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

import msgspec

from linstock.statuses import ENDED
from services.api import progress
from services.api.context import Context
from services.api.dto.schedules import ScheduledJobRunDto
from services.api.problems import DATABASE_AWAY
from services.api.queries import runs, waiting
from services.api.streams import COMMENT_EVERY_S, RETRY_MS, Still, data_of

ABOUT = "A ScheduledJobRunDto in each `data`, and `event: end` with the last one, once the run has ended"
LOOK_EVERY_S = 0.25


async def shown(context: Context, run_id: UUID) -> ScheduledJobRunDto | None:
    """With how far it is, and what it waits for."""
    run = await runs.one(context.pool, context.workspace, run_id)
    if run:
        run.waiting_for = await waiting.why(context.pool, context.workspace, run_id)
        await progress.add(context, [run])
    return run


async def told(context: Context, run_id: UUID, still: Still) -> AsyncGenerator[str, None]:
    """Ends with the run, or when `still` says that nobody may listen any more."""
    loop = asyncio.get_running_loop()
    yield f": linstock\nretry: {RETRY_MS}\n\n"
    last, comment_at = "", loop.time() + COMMENT_EVERY_S
    while await still() and not context.streams.stopping:
        try:
            run = await shown(context, run_id)
        except DATABASE_AWAY:
            await asyncio.sleep(LOOK_EVERY_S)
            continue
        if run is None:
            return  # forgotten meanwhile
        said = msgspec.json.encode(run).decode()
        ended = run.status in ENDED
        if said != last:
            yield f"event: {'end' if ended else 'message'}\n{data_of(said)}\n"
            last, comment_at = said, loop.time() + COMMENT_EVERY_S
        elif loop.time() >= comment_at:
            yield ":\n\n"
            comment_at = loop.time() + COMMENT_EVERY_S
        if ended:
            return
        await asyncio.sleep(LOOK_EVERY_S)
