"""Ending a task that swallows its first cancellation."""

import asyncio

from linstock.cancellation import cancel


async def test_a_task_that_swallows_a_cancellation_ends_all_the_same() -> None:
    running, swallowed = asyncio.Event(), 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                running.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if swallowed == 2:
                    raise
                swallowed += 1

    task = asyncio.create_task(stubborn())
    await running.wait()
    await asyncio.wait_for(cancel(task), 10)

    assert task.cancelled()
    assert swallowed == 2


async def test_a_task_that_ended_needs_nothing() -> None:
    async def nothing() -> None:
        return

    task = asyncio.create_task(nothing())
    await task
    await asyncio.wait_for(cancel(task), 10)
