"""/api/v1/operations: what became of a command"""

import asyncio

from litestar import get

from services.api.context import Id, Shared
from services.api.dto import OperationDto
from services.api.problems import not_found
from services.api.queries import operations

SHOWN_WITHIN_S = 1.0
LOOK_EVERY_S = 0.02


@get("/api/v1/operations/{command_id:uuid}")
async def get_operation(command_id: Id, context: Shared) -> OperationDto:
    """A command's receipt; pending while its owner has not got to it."""
    handled = await operations.handled(context.pool, context.workspace, command_id)
    if handled is not None:
        return handled
    waiting = await operations.waiting(context.client, context.workspace, command_id)
    if waiting is not None:
        return waiting
    # Its owner may have handled it a moment ago: the receipt is then on its way to the read models.
    loop = asyncio.get_running_loop()
    until = loop.time() + SHOWN_WITHIN_S
    while loop.time() < until:
        await asyncio.sleep(LOOK_EVERY_S)
        handled = await operations.handled(context.pool, context.workspace, command_id)
        if handled is not None:
            return handled
    raise not_found("operation", command_id)


HANDLERS = (get_operation,)
