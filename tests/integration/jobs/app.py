"""Jobs as an application would have them; importable, for those that run in a process of their own."""

import os
from collections import Counter

from linstock import job

RUNS: Counter[str] = Counter()


@job
async def add(a: int, b: int = 1) -> int:
    return a + b


@job
def shout(text: str) -> str:
    return text.upper()


@job(process=True)
def pid() -> int:
    return os.getpid()


@job(process=True, retries=0)
def die() -> None:
    os._exit(3)


@job(retries=2, delays=(0,))
async def flaky(key: str, fails: int) -> int:
    RUNS[key] += 1
    if RUNS[key] <= fails:
        raise ConnectionResetError(f"run {RUNS[key]}")
    return RUNS[key]
