"""Ending a task for certain."""

import asyncio
from typing import Any

AGAIN_AFTER_S = 0.1


async def cancel(task: asyncio.Task[Any]) -> None:
    """Returns when the task has ended; what it raised is dropped. Safe for a task that has ended.

    One `task.cancel()` is not enough before Python 3.12: `asyncio.wait_for`, which nats-py and asyncpg use, swallows it
    when what it waits for completes in the same turn of the loop, and the task runs on.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_AFTER_S)
