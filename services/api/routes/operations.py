"""operations, under /api/v1: what became of a command"""

import asyncio

from litestar import get

from services.api import answers
from services.api.context import Fresh, Id
from services.api.dto.operations import OperationDto
from services.api.problems import not_found
from services.api.queries import operations

SHOWN_WITHIN_S = 1.0
LOOK_EVERY_S = 0.02


@get("/operations/{command_id:uuid}", responses=answers.reading(404))
async def get_operation(command_id: Id, fresh: Fresh) -> OperationDto:
    """A command's receipt; pending while its owner has not got to it."""
    handled = await operations.handled(fresh.pool, fresh.workspace, command_id)
    if handled is not None:
        return handled
    waiting = await operations.waiting(fresh.client, fresh.workspace, command_id)
    if waiting is not None:
        return waiting
    # Its owner may have handled it a moment ago: the receipt is then on its way to the read models.
    loop = asyncio.get_running_loop()
    until = loop.time() + SHOWN_WITHIN_S
    while loop.time() < until:
        await asyncio.sleep(LOOK_EVERY_S)
        handled = await operations.handled(fresh.pool, fresh.workspace, command_id)
        if handled is not None:
            return handled
    raise not_found("operation", command_id)


HANDLERS = (get_operation,)
