"""Waiting for something to become true, by looking; the limit is generous because only a failure reaches it."""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any

LOOK_EVERY_S = 0.01


async def eventually(look: Callable[[], Any], expected: object = True, *, within_s: float = 15) -> Any:
    """The first look that equals `expected`; AssertionError names the last one otherwise. `look` may be async."""
    until = time.monotonic() + within_s
    while True:
        seen = look()
        if inspect.isawaitable(seen):
            seen = await seen
        if seen == expected:
            return seen
        if time.monotonic() > until:
            raise AssertionError(f"still {seen!r}, not {expected!r}, after {within_s} s")
        await asyncio.sleep(LOOK_EVERY_S)
