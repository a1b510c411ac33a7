"""Waiting for a condition: tests never sleep for a time they hope is enough."""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

POLL_S = 0.01


class NeverHappened(AssertionError):
    """Not within {timeout_s:g} s: {what}"""

    def __init__(self, what: str, timeout_s: float) -> None:
        super().__init__((self.__doc__ or "").format(what=what, timeout_s=timeout_s))


def until(condition: Callable[[], T | None], what: str, timeout_s: float = 10.0) -> T:
    """The first true answer of `condition`, asked again and again."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise NeverHappened(what, timeout_s)
        time.sleep(POLL_S)


async def eventually(condition: Callable[[], T | None], what: str, timeout_s: float = 10.0) -> T:
    """As `until`, without stopping the event loop."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise NeverHappened(what, timeout_s)
        await asyncio.sleep(POLL_S)


async def becomes(look: Callable[[], Any], expected: object, timeout_s: float = 15.0) -> Any:
    """Waits until `look` (plain or async) answers `expected`; fails naming what it answered last."""
    deadline = time.monotonic() + timeout_s
    while True:
        seen = look()
        if inspect.isawaitable(seen):
            seen = await seen
        if seen == expected:
            return seen
        if time.monotonic() > deadline:
            raise NeverHappened(f"{expected!r}, it is {seen!r}", timeout_s)
        await asyncio.sleep(POLL_S)
